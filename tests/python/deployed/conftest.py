"""One deployment for all tests of this folder."""

from world import api, emulator, home, physical, simulator, stack, wanted

__all__ = ["api", "emulator", "home", "physical", "simulator", "stack", "wanted"]
