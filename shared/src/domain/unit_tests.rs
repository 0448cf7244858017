//! The unit's state machine under a hostile scheduler.
