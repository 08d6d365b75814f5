"""A flag is set by the first one, which then does something that is to be done once."""

from ftsan.testing import in_turns


class Service:
    def __init__(self) -> None:
        self.is_started = self.is_stopped = False
        self.reason = ""

    def start(self) -> bool:
        if not self.is_started:  # race: started
            self.is_started = True  # race: started
            return True
        return False

    def stop(self) -> None:
        if self.is_stopped:  # race: stopped
            return
        self.is_stopped = True  # race: stopped
        print("stopped")

    def fail(self, reason: str) -> None:
        if not self.reason:  # race: reason
            self.reason = reason  # race: reason


service = Service()
in_turns(service.start, service.start)
in_turns(service.stop, service.stop)
in_turns(lambda: service.fail("refused"), lambda: service.fail("reset"))
