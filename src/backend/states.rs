//! Session states that are alike, as one.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::backend::state::SessionState;

/// So many are shared at most: beyond that, clients set too many values for sharing to help.
const SHARED_MAX: usize = 1024;

/// The states that sessions want, each once: a connection that has what a session wants is then told by
/// its address, whichever session brought it there.
#[derive(Debug, Default)]
pub struct States(Mutex<HashSet<Arc<SessionState>>>);

impl States {
    /// The one that is equal to `state`.
    pub fn share(&self, state: SessionState) -> Arc<SessionState> {
        // The set is whole after every single call, so a panic elsewhere broke nothing.
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = shared.get(&state) {
            return Arc::clone(known);
        }
        if shared.len() >= SHARED_MAX {
            shared.retain(|state| Arc::strong_count(state) > 1);
        }
        let state = Arc::new(state);
        if shared.len() < SHARED_MAX {
            shared.insert(Arc::clone(&state));
        }
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(schema: usize) -> SessionState {
        SessionState { schema: Some(schema.to_string()), ..SessionState::default() }
    }

    #[test]
    fn equal_states_are_one() {
        let states = States::default();
        let one = states.share(state(1));
        assert!(Arc::ptr_eq(&one, &states.share(state(1))));
        assert!(!Arc::ptr_eq(&one, &states.share(state(2))));
    }

    #[test]
    fn those_that_nobody_has_make_room() {
        let states = States::default();
        let held: Vec<_> = (0..10).map(|at| states.share(state(at))).collect();
        for at in 10..SHARED_MAX + 10 {
            states.share(state(at));
        }
        let count = |states: &States| states.0.lock().unwrap().len();
        assert!(count(&states) < SHARED_MAX);
        assert!(Arc::ptr_eq(&held[3], &states.share(state(3))));
    }

    #[test]
    fn beyond_the_limit_each_has_its_own() {
        let states = States::default();
        let held: Vec<_> = (0..=SHARED_MAX).map(|at| states.share(state(at))).collect();
        assert!(!Arc::ptr_eq(&held[SHARED_MAX], &states.share(state(SHARED_MAX))));
        assert!(Arc::ptr_eq(&held[0], &states.share(state(0))));
    }
}
