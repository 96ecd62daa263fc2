"""A Terraform provider that knows the schema of the real one, and creates nothing.

Terraform itself checks a configuration against the schema: names, types, nesting, required arguments, references. So
``init``, ``validate``, ``plan``, ``apply``, ``destroy`` and ``test`` run without the cloud and without an account.
This is no test of the cloud: no value is looked at, nothing is refused for a rule that only the provider's code knows,
an argument never forces a replacement, and what the provider would fill in is made up (``stand-in-arn``).

Usage: ``TF_SCHEMA=schema.json python provider.py``, started by Terraform; ``cdktf_schema.py`` writes the schema.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tf.provider
import tf.runner
from tf.gen import tfplugin_pb2 as protocol
from tf.types import Unknown
from tf.utils import read_dynamic_value, to_dynamic_value

Block = dict[str, Any]
Value = dict[str, Any] | None

NESTING = {
    "list": protocol.Schema.NestedBlock.LIST,
    "set": protocol.Schema.NestedBlock.SET,
    "single": protocol.Schema.NestedBlock.SINGLE,
    "map": protocol.Schema.NestedBlock.MAP,
}


def to_protocol(block: Block) -> protocol.Schema.Block:
    """Return a block of the schema as Terraform's protocol wants it."""
    return protocol.Schema.Block(
        attributes=[
            protocol.Schema.Attribute(
                name=name,
                type=json.dumps(attribute["type"]).encode(),
                required=attribute["required"],
                optional=attribute["optional"],
                computed=attribute["computed"],
            )
            for name, attribute in block["attributes"].items()
        ],
        block_types=[
            protocol.Schema.NestedBlock(
                type_name=name,
                block=to_protocol(nested["block"]),
                nesting=NESTING[nested["mode"]],
                min_items=nested["min"],
                max_items=nested["max"],
            )
            for name, nested in block["blocks"].items()
        ],
    )


def fill_in(block: Block, value: Any, make: Callable[[str, Any], Any]) -> Any:
    """Return a value in which ``make(name, type)`` stands for every computed attribute that has none."""
    if value is None or value is Unknown:
        return value
    filled = {}
    for name, attribute in block["attributes"].items():
        given = value.get(name)
        is_open = attribute["computed"] and (given is None or given is Unknown)
        filled[name] = make(name, attribute["type"]) if is_open else given
    for name, nested in block["blocks"].items():
        given = value.get(name)
        if isinstance(given, list):
            filled[name] = [fill_in(nested["block"], item, make) for item in given]
        elif isinstance(given, dict) and nested["mode"] == "map":
            filled[name] = {key: fill_in(nested["block"], item, make) for key, item in given.items()}
        else:
            filled[name] = fill_in(nested["block"], given, make)
    return filled


def unknown(name: str, cty: Any) -> Any:
    """Return the mark of a value that only the apply will tell."""
    del name, cty
    return Unknown


def made_up(name: str, cty: Any) -> Any:
    """Return a value of a type, for what the real provider would fill in."""
    if isinstance(cty, str):
        return {"string": f"stand-in-{name}", "number": 0, "bool": False}.get(cty)
    return {} if cty[0] == "map" else []


class StandInServicer(tf.provider.ProviderServicer):  # type: ignore[misc]
    """Terraform's requests, answered from the schema alone."""

    def __init__(self, app: "StandIn") -> None:
        super().__init__(app)
        self.schema = app.schema

    def GetMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Tell that the whole schema has to be asked for."""
        return protocol.GetMetadata.Response()

    def GetProviderSchema(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Return the schema of everything."""
        return protocol.GetProviderSchema.Response(
            provider=protocol.Schema(block=to_protocol(self.schema["provider"])),
            resource_schemas={
                name: protocol.Schema(block=to_protocol(block)) for name, block in self.schema["resources"].items()
            },
            data_source_schemas={
                name: protocol.Schema(block=to_protocol(block)) for name, block in self.schema["data_sources"].items()
            },
        )

    def ValidateProviderConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Accept: Terraform has checked it against the schema."""
        return protocol.ValidateProviderConfig.Response()

    def ValidateResourceConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Accept: Terraform has checked it against the schema."""
        return protocol.ValidateResourceConfig.Response()

    def ValidateDataResourceConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Accept: Terraform has checked it against the schema."""
        return protocol.ValidateDataResourceConfig.Response()

    def ConfigureProvider(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Ask for no credentials."""
        return protocol.ConfigureProvider.Response()

    def UpgradeResourceState(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Return the state as it was written."""
        state = json.loads(request.raw_state.json)
        return protocol.UpgradeResourceState.Response(upgraded_state=to_dynamic_value(state))

    def ReadResource(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Return the state as it is remembered: nothing else changes it."""
        return protocol.ReadResource.Response(new_state=request.current_state)

    def PlanResourceChange(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Leave open, for a new resource, what the real provider fills in."""
        proposed = read_dynamic_value(request.proposed_new_state)
        if proposed is not None and read_dynamic_value(request.prior_state) is None:
            proposed = fill_in(self.schema["resources"][request.type_name], proposed, unknown)
        return protocol.PlanResourceChange.Response(planned_state=to_dynamic_value(proposed), legacy_type_system=True)

    def ApplyResourceChange(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Make up what the real provider fills in."""
        planned = read_dynamic_value(request.planned_state)
        state = fill_in(self.schema["resources"][request.type_name], planned, made_up)
        return protocol.ApplyResourceChange.Response(new_state=to_dynamic_value(state), legacy_type_system=True)

    def ReadDataSource(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Make up what the real provider looks up."""
        config = read_dynamic_value(request.config)
        state = fill_in(self.schema["data_sources"][request.type_name], config, made_up)
        return protocol.ReadDataSource.Response(state=to_dynamic_value(state))


class StandIn:
    """What the package tf wants to know about a provider: its address."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self.schema = schema

    def full_name(self) -> str:
        """Return the address of the real provider."""
        address: str = self.schema["address"]
        return address


if __name__ == "__main__":
    # The package builds the servicer from Python classes of resources; this one has a schema instead.
    tf.provider.ProviderServicer = StandInServicer
    tf.runner.run_provider(StandIn(json.loads(Path(os.environ["TF_SCHEMA"]).read_text())), sys.argv)
