"""Large engines of a block from a reduced basis, certified by the full equations of each."""
