// The guest of `world.wit` in JavaScript, for componentize-js.

import { log, lookUp } from "demo:foreign/host@0.1.0";

class Pile {
  constructor(label) {
    this.label = label;
    this.items = [];
  }

  push(item) {
    this.items.push(item);
  }

  shapes() {
    return this.items;
  }

  static merge(a, b) {
    const merged = new Pile(a.label + b.label);
    merged.items = a.items.concat(b.items);
    return merged;
  }
}

export const guest = {
  Pile,
  add(a, b) {
    log(`add ${a} ${b}`);
    return (a + b) >>> 0;
  },
  reverse: (data) => data.reverse(),
  shift: (p, [dx, dy]) => ({ x: p.x + dx, y: p.y + dy, name: p.name.toUpperCase() }),
  area(shape) {
    if (shape.tag === "circle") return 3 * shape.val * shape.val;
    if (shape.tag === "path") return shape.val.length;
    return undefined;
  },
  nested: (value) => value,
  toggle: (have, want) => ({ read: have.read !== want.read, write: have.write !== want.write, admin: true }),
  find(name) {
    if (name === "locked") throw "locked";
    return lookUp(name);
  },
  count(counter, times) {
    const found = [];
    for (let i = 0; i < times; i++) found.push(counter.next());
    return found;
  },
  keep(counter) {
    counter.next();
    return counter;
  },
  scalars: (a, b, c, d, e, f, g) => [a, b, c, d, e, f, g],
  print: (line) => console.log(line),
  fail() {
    throw new Error("on purpose");
  },
};
