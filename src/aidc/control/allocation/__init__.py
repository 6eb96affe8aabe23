"""Who gives how much of a cut: policies behind one interface.

`POLICIES` has them by name. A policy of your own is any function from a `Menu` and a cut in watts to an
`Allocation`; `aidc.control.allocation.menu.checked` tells whether what it returns is on the menu.
"""

from aidc.control.allocation.menu import Allocation, Menu, Policy, checked, menu_of
from aidc.control.allocation.policies import POLICIES

__all__ = ["POLICIES", "Allocation", "Menu", "Policy", "checked", "menu_of"]
