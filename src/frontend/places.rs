//! How many connections each user has.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, ErrorKind, Result};

/// The connections of all users that are logged in.
#[derive(Debug, Default)]
pub struct Places {
    taken: Mutex<HashMap<String, u32>>,
}

/// A connection's place; it is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    user: String,
}

impl Places {
    /// Takes one of the places of a user, of which there are `max`.
    ///
    /// # Errors
    /// `TooManyUserConnections` if all are taken.
    pub(super) fn take(self: &Arc<Self>, user: &str, max: Option<u32>) -> Result<Place> {
        let mut taken = self.taken();
        let count = taken.get(user).copied().unwrap_or_default();
        if let Some(max) = max.filter(|max| count >= *max) {
            // As MySQL has it; the setting is `max_connections` of the user.
            let message = format!(
                "User '{user}' has exceeded the 'max_user_connections' resource (current value: {max})"
            );
            return Err(Error::new(ErrorKind::TooManyUserConnections, message));
        }
        taken.insert(user.to_owned(), count + 1);
        Ok(Place { places: Arc::clone(self), user: user.to_owned() })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        // Each change is one insertion or removal, so a panic elsewhere broke nothing.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Entry::Occupied(mut entry) =
            self.places.taken().entry(std::mem::take(&mut self.user))
        {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_free_again() {
        let places = Arc::new(Places::default());
        let first = places.take("app", Some(2)).unwrap();
        let second = places.take("app", Some(2)).unwrap();
        let error = places.take("app", Some(2)).unwrap_err();
        assert_eq!(
            error.message(),
            "User 'app' has exceeded the 'max_user_connections' resource (current value: 2)"
        );
        let other = places.take("other", Some(2)).unwrap();
        drop(first);
        let third = places.take("app", Some(2)).unwrap();
        assert!(places.take("app", None).is_ok());
        drop((second, third, other));
        assert!(places.taken().is_empty());
    }
}
