"""The pager: takes alerts and keeps them; also the operators' host among containers."""
