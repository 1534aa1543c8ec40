"""Entering a target: it is started whole, or nothing of it is left."""

from __future__ import annotations

from typing import Self

from targets.target import TargetError


class Starting:
    """Base of what starts on entering: give it ``_begin``, and an ``__exit__`` that ends whatever has begun."""

    def _begin(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        """Start everything; on failure, and on Ctrl-C meanwhile, nothing of it is left."""
        try:
            self._begin()
        except TargetError as error:
            try:
                self.__exit__(None, None, None)
            except TargetError as left:  # it must not hide why there was something to stop
                raise error.followed_by(left) from error
            raise
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        """Stop what has begun; idempotent."""
        raise NotImplementedError
