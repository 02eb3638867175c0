"""The resource that interface `guest` of `world.wit` exports: componentize-py looks for it in a module of that name."""

from wit_world.exports import guest


class Pile(guest.Pile):
    def __init__(self, label):
        self.label, self.items = label, []

    def push(self, item):
        self.items.append(item)

    def shapes(self):
        return self.items

    @classmethod
    def merge(cls, a, b):
        merged = cls(a.label + b.label)
        merged.items = a.items + b.items
        return merged
