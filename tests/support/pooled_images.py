"""What tests of pooling draw: patches of every size, in images of which some pixels are left over, in every layout."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from memory_layouts import LAYOUTS

POOLING = {
    "dtype": st.sampled_from([np.float32, np.float64]),
    "size": st.integers(1, 3),
    "stride": st.integers(1, 4),
    "left": st.integers(0, 2),
    "layouts": st.sampled_from([["contiguous"], LAYOUTS]),
    "threads": st.integers(1, 3),
}
