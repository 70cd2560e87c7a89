"""What a new file begins with: the least that the editor opens and the checks understand."""

from __future__ import annotations

import json
import re
import secrets
from pathlib import PurePosixPath
from xml.sax.saxutils import quoteattr

from service import errors

BPMN = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" \
xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" \
xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" \
xmlns:modeler="http://camunda.org/schema/modeler/1.0" id="Definitions_{key}" \
targetNamespace="http://bpmn.io/schema/bpmn" modeler:executionPlatform="Camunda Cloud" \
modeler:executionPlatformVersion="8.8.0">
  <bpmn:process id={id} name={name} isExecutable="true">
    <bpmn:startEvent id="StartEvent_{key}" name="开始" />
  </bpmn:process>
  <bpmndi:BPMNDiagram id="BPMNDiagram_{key}">
    <bpmndi:BPMNPlane id="BPMNPlane_{key}" bpmnElement={id}>
      <bpmndi:BPMNShape id="StartEvent_{key}_di" bpmnElement="StartEvent_{key}">
        <dc:Bounds x="182" y="162" width="36" height="36" />
        <bpmndi:BPMNLabel><dc:Bounds x="189" y="205" width="22" height="14" /></bpmndi:BPMNLabel>
      </bpmndi:BPMNShape>
    </bpmndi:BPMNPlane>
  </bpmndi:BPMNDiagram>
</bpmn:definitions>
"""

DMN = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" \
xmlns:dmndi="https://www.omg.org/spec/DMN/20191111/DMNDI/" xmlns:dc="http://www.omg.org/spec/DMN/20180521/DC/" \
id="Definitions_{key}" name={name} namespace="http://camunda.org/schema/1.0/dmn">
  <decision id={id} name={name}>
    <decisionTable id="DecisionTable_{key}" hitPolicy="UNIQUE">
      <input id="Input_{key}" label="">
        <inputExpression id="InputExpression_{key}" typeRef="string"><text></text></inputExpression>
      </input>
      <output id="Output_{key}" label="" name="result" typeRef="string" />
    </decisionTable>
  </decision>
  <dmndi:DMNDI>
    <dmndi:DMNDiagram>
      <dmndi:DMNShape dmnElementRef={id}><dc:Bounds height="80" width="180" x="160" y="100" /></dmndi:DMNShape>
    </dmndi:DMNDiagram>
  </dmndi:DMNDI>
</definitions>
"""


def blank(path: str, name: str = "") -> bytes:
    """The content of a new file, by the ending of its path. Raises InvalidInput where none can be made."""
    stem, suffix = PurePosixPath(path).stem, PurePosixPath(path).suffix
    key = secrets.token_hex(4)
    name = name.strip() or stem
    ids = {"id": quoteattr(_id(stem, key)), "name": quoteattr(name), "key": key}
    if suffix == ".bpmn":
        return BPMN.format(**ids).encode()
    if suffix == ".dmn":
        return DMN.format(**ids).encode()
    if suffix == ".form":
        schema = {
            "components": [{"type": "text", "id": f"Field_{key}", "text": f"# {name}"}],
            "type": "default",
            "id": _id(stem, key),
            "executionPlatform": "Camunda Cloud",
            "executionPlatformVersion": "8.8.0",
            "schemaVersion": 18,
        }
        return (json.dumps(schema, ensure_ascii=False, indent=2) + "\n").encode()
    raise errors.InvalidInput(
        "这种文件不能新建，请上传。", "A file of this kind cannot be made here; upload it.", field="path"
    )


def _id(stem: str, key: str) -> str:
    """An id that XML and FEEL accept, as close to the file's name as it goes."""
    plain = re.sub(r"[^A-Za-z0-9_]", "_", stem)
    return plain if re.match(r"[A-Za-z_][A-Za-z0-9_]*[A-Za-z0-9]", plain) and plain.strip("_") else f"new_{key}"
