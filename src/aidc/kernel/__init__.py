"""Where compiled kernels are kept, and by which key: see `key` and `cache`."""

from aidc.kernel.cache import KernelCache
from aidc.kernel.key import UnkeyedError, kernel_key

__all__ = ["KernelCache", "UnkeyedError", "kernel_key"]
