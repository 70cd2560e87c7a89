export const ZH: Record<string, string> = {};
export const IN_PLACE: Record<string, string> = {};
