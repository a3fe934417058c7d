//! How a write treats rows that the server rejects.

/// Whether statements run with savepoints, so that a rejected row does not abort the transaction.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Savepoints {
    Off,
    On,
    /// Deferred constraints of the user, which would fail the commit, are checked by each statement.
    OnWithImmediateConstraints,
}

impl Savepoints {
    pub(super) fn check_immediately(self) -> bool {
        self == Savepoints::OnWithImmediateConstraints
    }

    pub(super) fn are_off(self) -> bool {
        self == Savepoints::Off
    }

    /// A statement at the beginning of the transaction.
    pub(super) fn opening(self) -> &'static str {
        match self {
            Savepoints::Off | Savepoints::On => "",
            Savepoints::OnWithImmediateConstraints => "set constraints all immediate; ",
        }
    }
}
