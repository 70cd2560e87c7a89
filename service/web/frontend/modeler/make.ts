import BpmnModeler from "bpmn-js/lib/Modeler";
import {
  BpmnPropertiesPanelModule,
  BpmnPropertiesProviderModule,
  ZeebePropertiesProviderModule,
} from "bpmn-js-properties-panel";
import { CloudElementTemplatesPropertiesProviderModule } from "bpmn-js-element-templates";
import { CreateAppendAnythingModule, CreateAppendElementTemplatesModule } from "bpmn-js-create-append-anything";
import ZeebeBehaviorsModule from "camunda-bpmn-js-behaviors/lib/camunda-cloud";
import zeebe from "zeebe-bpmn-moddle/resources/zeebe.json";
import LintModule from "bpmn-js-bpmnlint";
import MinimapModule from "diagram-js-minimap";
import ColorPickerModule from "bpmn-js-color-picker";
import SimulationModule from "bpmn-js-token-simulation";
import type { Context } from "./context";
import { elementTemplates } from "./templates";
import { PickListsModule } from "./picks";
import { ServerLintingModule } from "./linting";
import { TranslateModule } from "./translate";
import { variablesModule } from "./variables";

/** The modeler with everything a process owner works with. */
export function makeModeler(container: HTMLElement, panel: HTMLElement, context: Context): any {
  return new BpmnModeler({
    container,
    propertiesPanel: { parent: panel },
    elementTemplates: elementTemplates(context),
    linting: { active: true },
    minimap: { open: false },
    moddleExtensions: { zeebe },
    guohe: context,
    additionalModules: [
      TranslateModule,
      BpmnPropertiesPanelModule,
      BpmnPropertiesProviderModule,
      ZeebePropertiesProviderModule,
      CloudElementTemplatesPropertiesProviderModule,
      ZeebeBehaviorsModule,
      CreateAppendAnythingModule,
      CreateAppendElementTemplatesModule,
      LintModule,
      ServerLintingModule,
      MinimapModule,
      ColorPickerModule,
      SimulationModule,
      PickListsModule,
      variablesModule(context),
    ],
  } as any);
}
