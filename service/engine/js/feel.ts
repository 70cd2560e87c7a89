import { evaluate, unaryTest, parseExpression, parseUnaryTests } from "@bpmn-io/feelin";

export { evaluate, unaryTest, parseExpression, parseUnaryTests };
