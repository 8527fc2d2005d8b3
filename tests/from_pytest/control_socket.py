"""The reset line of a virtual EVKIT as a driver of labgrid."""

import attr
from labgrid import step, target_factory
from labgrid.driver import Driver
from labgrid.protocol import ResetProtocol
from labgrid.resource.common import Resource

from control import say


@target_factory.reg_resource
@attr.s(eq=False)
class ControlSocket(Resource):
    path = attr.ib(validator=attr.validators.instance_of(str))


@target_factory.reg_driver
@attr.s(eq=False)
class ControlSocketReset(Driver, ResetProtocol):
    bindings = {"socket": ControlSocket}

    @Driver.check_active
    @step()
    def reset(self):
        say(self.socket.path, "reset assert")
        say(self.socket.path, "reset release")
