//! The two databases, below the operations.
