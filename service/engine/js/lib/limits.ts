/**
 * FEEL joins texts to ropes of half a gigabyte for nothing; memory is only taken when something looks inside one.
 * Everything that looks inside refuses such a text first.
 */
const MOST = 2_000_000;

type Method = (this: string, one?: unknown, two?: unknown) => unknown;
const LOOKING = "split replace toUpperCase toLowerCase substring slice includes indexOf startsWith endsWith normalize trim";

for (const name of LOOKING.split(" ")) {
  const original = String.prototype[name as "trim"] as unknown as Method;
  Object.defineProperty(String.prototype, name, {
    configurable: true,
    writable: true,
    // Two parameters by name: collecting them costs more than the methods themselves.
    value(this: string, one?: unknown, two?: unknown) {
      if (this.length > MOST) throw new RangeError("text too long");
      return original.call(this, one, two);
    },
  });
}

const test = RegExp.prototype.test;
RegExp.prototype.test = function (text: string): boolean {
  if (text?.length > MOST) throw new RangeError("text too long");
  return test.call(this, text);
};

const from = Array.from as (...values: unknown[]) => unknown[];
Array.from = function (this: unknown, source: unknown, ...rest: unknown[]) {
  if (typeof source === "string" && source.length > MOST) throw new RangeError("text too long");
  return from.call(this, source, ...rest);
} as typeof Array.from;
