"""What becomes of the bases: accreditation, cooperation, notices and sanctions, in the register."""
