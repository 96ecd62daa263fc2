"""Rebuild a Terraform provider's schema from the classes that the Cloud Development Kit for Terraform made of it.

The npm packages ``@cdktf/provider-aws`` and ``@cdktf/provider-google`` hold one JavaScript class per resource, data
source and nested block, generated from the provider's own schema. This reads them back: names, types, nesting, which
arguments are required, which blocks stand at most once. Three things the classes do not tell. An optional argument and
one that the provider fills in when it is left out look alike; both count as the latter. A limit above one of repeated
blocks is lost. Rules in a provider's code (allowed values, arguments that exclude each other) are in no schema.

Usage: ``python cdktf_schema.py PACKAGE.tgz SCHEMA.json FAMILY...`` with a pattern per family of resources, such as
``lambda-.*``.
"""

import json
import re
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CtyType = str | list[Any]
"""A type in Terraform's JSON notation: ``"string"``, ``["list", "string"]``, ``["list", ["object", {...}]]``."""

Block = dict[str, Any]
"""``attributes`` (name to type, required, optional, computed) and ``blocks`` (name to mode, min, max, block)."""

SCALARS = {"string": "string", "number": "number", "boolean": "bool", "any": "dynamic"}
GETTERS = {"String": "string", "Number": "number", "Boolean": "bool"}
BLOCK_MODES = {"list": "list", "set": "set", "struct": "single", "map": "map"}

CLASS = re.compile(r"^class (\w+) extends (cdktf\.\w+) \{\n(.*?)^\}", re.DOTALL | re.MULTILINE)
ARGUMENT = re.compile(
    r"^\s+(\w+): \{\n\s+value: (.*?),\n\s+isBlock: (true|false),\n\s+type: \"(\w+)\",\n\s+storageClassType: \"(\w+)\"",
    re.MULTILINE,
)
COMPUTED = re.compile(r"// (\w+) - computed: true, optional: false, required: false\n(?=\s*([^\n]*\n[^\n]*)\n)")


@dataclass(frozen=True)
class Module:
    """The source of one resource: JavaScript, its declarations, and its classes' bodies by name."""

    javascript: str
    declarations: str
    classes: dict[str, str]

    def required_arguments(self, interface: str) -> set[str]:
        """Return the names, in camel case, of the arguments that an interface requires."""
        declaration = rf"^export interface {interface}\b[^\n]*\{{\n(.*?)^\}}"
        body = re.search(declaration, self.declarations, re.DOTALL | re.MULTILINE)
        return set(re.findall(r"readonly (\w+):", body[1])) if body else set()

    def mapper_body(self, mapper: str) -> str:
        """Return the body of the function that turns a nested block into Terraform's language."""
        function = rf"^function {mapper}ToHclTerraform\(struct\) \{{\n(.*?)^\}}"
        return find(function, self.javascript, re.DOTALL | re.MULTILINE)


def main() -> None:
    """Write the schema of the chosen families of a package."""
    package, target, *families = sys.argv[1:]
    schema = read_package(Path(package), families)
    Path(target).write_text(json.dumps(schema))
    counts = {kind: len(schema[kind]) for kind in ("resources", "data_sources")}
    sys.stdout.write(f"{schema['address']} {schema['version']}: {counts}\n")


def read_package(package: Path, families: list[str]) -> dict[str, Any]:
    """
    Read the schema of a provider out of its npm package.

    Parameters
    ----------
    package
        The archive that ``npm pack`` writes.
    families
        Patterns of the folders to read, which are resource types without the provider's name, with hyphens.

    Returns
    -------
    dict
        ``address`` and ``version`` of the provider, its own block as ``provider``, and the blocks of ``resources`` and
        ``data_sources`` by type.
    """
    wanted = re.compile(rf"package/lib/((?:data-\w+-)?(?:{'|'.join(families)})|provider)/index\.(js|d\.ts)")
    sources: dict[str, dict[str, str]] = {}
    origin: dict[str, str] = {}
    with tarfile.open(package) as archive:
        for member in archive:
            stream = archive.extractfile(member)
            if stream and member.name == "package/package.json":
                origin = json.load(stream)["cdktf"]["provider"]
            elif stream and (match := wanted.fullmatch(member.name)):
                sources.setdefault(match[1], {})[match[2]] = stream.read().decode()
    schema: dict[str, Any] = {"address": origin["name"], "version": origin["version"]}
    schema |= {"resources": {}, "data_sources": {}}
    for source in sources.values():
        javascript = source["js"]
        declared = {name: (base, body) for name, base, body in CLASS.findall(javascript)}
        module = Module(javascript, source["d.ts"], {name: body for name, (_, body) in declared.items()})
        name = find(r"^(\w+)\.tfResourceType = ", javascript, re.MULTILINE)
        base, body = declared[name]
        block = read_block(module, body, interface=f"{name}Config", attributes_of=name)
        if base == "cdktf.TerraformProvider":
            schema["provider"] = without_computed(block)
        else:
            kind = "data_sources" if base == "cdktf.TerraformDataSource" else "resources"
            schema[kind][find(r"terraformResourceType: '(\w+)'", javascript)] = block
    return schema


def find(pattern: str, text: str, flags: int = 0) -> str:
    """Return what the pattern's group matches first, or say what the generated code lacks."""
    match = re.search(pattern, text, flags)
    if match is None:
        raise ValueError(f"nothing in the package's code matches {pattern!r}; was its generator changed?")
    return match[1]


def read_block(module: Module, mapping: str, *, interface: str, attributes_of: str) -> Block:
    """
    Read one block with everything nested in it.

    Parameters
    ----------
    module
        Where its classes stand.
    mapping
        The code that lists the arguments.
    interface
        The declaration that tells which arguments are required.
    attributes_of
        The class that has the attributes which only the provider sets.
    """
    mapping = mapping[max(mapping.find("synthesizeHclAttributes"), 0) :]
    required = module.required_arguments(interface)
    block: Block = {"attributes": {}, "blocks": {}}
    for argument, value, is_block, kind, storage in ARGUMENT.findall(mapping):
        is_required = camel_case(argument) in required
        if is_block == "true":
            mapper = mapper_name(value)
            nested = mapper[0].upper() + mapper[1:]
            mode = BLOCK_MODES[kind]
            inner = read_block(
                module, module.mapper_body(mapper), interface=nested, attributes_of=f"{nested}OutputReference"
            )
            block["blocks"][argument] = {
                "mode": mode,
                "min": int(is_required and mode in ("list", "set")),
                "max": 0 if "MapperHcl(" in value or mode == "single" else 1,
                "block": inner,
            }
        else:
            block["attributes"][argument] = {
                "type": argument_type(module, value, kind, storage),
                "required": is_required,
                "optional": not is_required,
                "computed": not is_required,
            }
    for attribute, cty in computed_attributes(module, attributes_of).items():
        if attribute not in block["attributes"] and attribute not in block["blocks"]:
            block["attributes"][attribute] = {"type": cty, "required": False, "optional": False, "computed": True}
    return block


def argument_type(module: Module, value: str, kind: str, storage: str) -> CtyType:
    """Return the type of an argument from the names that the generated code stores it under."""
    if storage in SCALARS:
        return SCALARS[storage]
    if collection := re.fullmatch(r"(string|number|boolean|any)((?:List|Map|Set)+)", storage):
        cty: CtyType = SCALARS[collection[1]]
        levels = re.findall("List|Map|Set", collection[2])
        for depth, level in enumerate(levels):
            is_outermost = depth == len(levels) - 1
            cty = ["set" if is_outermost and kind == "set" else level.lower(), cty]
        return cty
    fields = {
        name: argument_type(module, inner_value, inner_kind, inner_storage)
        for name, inner_value, _, inner_kind, inner_storage in ARGUMENT.findall(module.mapper_body(mapper_name(value)))
    }
    return [kind if kind in ("list", "set", "map") else "list", ["object", fields]]


def mapper_name(value: str) -> str:
    """
    Return which nested block a value is of, from the code that writes it.

    >>> mapper_name("cdktf.listMapperHcl(ecrRepositoryRuleToHclTerraform, true)(this._rule.internalValue)")
    'ecrRepositoryRule'
    """
    return find(r"(\w+)ToHclTerraform", value)


def computed_attributes(module: Module, name: str) -> dict[str, CtyType]:
    """Return the attributes of a class that only the provider sets, with their types."""
    codes = COMPUTED.findall(module.classes.get(name, ""))
    return {attribute: computed_type(module, code) for attribute, code in codes}


def computed_type(module: Module, code: str) -> CtyType:
    """Return the type of an attribute from the code that reads it."""
    if collection := re.search(r"new cdktf\.(String|Number|Boolean)Map\(|get(String|Number|Boolean)MapAttribute", code):
        return ["map", GETTERS[collection[1] or collection[2]]]
    if nested := re.search(r"new (\w+?)(List|Map|OutputReference)\(", code):
        return ["list", ["object", computed_attributes(module, f"{nested[1]}OutputReference")]]
    if getter := re.search(r"get(String|Number|Boolean)Attribute", code):
        return GETTERS[getter[1]]
    if listed := re.search(r"get(Number)?ListAttribute", code):
        return ["set" if "Fn.tolist" in code else "list", "number" if listed[1] else "string"]
    return "string"


def without_computed(block: Block) -> Block:
    """Return a block as a provider's own configuration has it: nothing in it is computed."""
    attributes = {name: {**attribute, "computed": False} for name, attribute in block["attributes"].items()}
    blocks = {name: {**nested, "block": without_computed(nested["block"])} for name, nested in block["blocks"].items()}
    return {"attributes": attributes, "blocks": blocks}


def camel_case(name: str) -> str:
    """
    Return the name that the generated classes give an argument.

    >>> camel_case("image_uri")
    'imageUri'
    """
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


if __name__ == "__main__":
    main()
