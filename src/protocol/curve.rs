//! The elliptic plugins of MariaDB, from a client's side: `client_ed25519` and `parsec`.

use mysql_common::auth::plugins::client_ed25519::ClientEd25519;
use mysql_common::auth::plugins::parsec::Parsec as Plugin;
use mysql_common::auth::plugins::{ChallengeResponsePlugin, Context};

use crate::error::{Error, Result};

/// Bytes of what a server sends to be signed.
const NONCE_LEN: usize = 32;

/// The answer of `client_ed25519`: the server's nonce, signed by a key that is made of the password.
pub fn ed25519_response(nonce: &[u8], password: &[u8]) -> Result<Vec<u8>> {
    let answer = ClientEd25519::default().run(Password(password), &whole(nonce));
    signed(answer, "client_ed25519")
}

/// The exchange of `parsec`: an empty answer to the nonce, then one to the account's salt.
#[derive(Debug)]
pub struct Parsec(Plugin);

impl Parsec {
    /// Takes the nonce; the answer to it is empty.
    pub fn start(nonce: &[u8], password: &[u8]) -> Result<Self> {
        let mut plugin = Plugin::default();
        plugin.run(Password(password), &whole(nonce)).map_err(|_| unusable("parsec"))?;
        Ok(Self(plugin))
    }

    /// The answer to the salt, which tells too how often the password is hashed: some milliseconds long.
    pub fn answer(&mut self, salt: &[u8], password: &[u8]) -> Result<Vec<u8>> {
        // Servers of later versions escape the packet.
        let salt = salt.strip_prefix(&[1]).unwrap_or(salt);
        signed(self.0.run(Password(password), salt), "parsec")
    }
}

/// A nonce that ends in a NUL has lost it where plugin data are read as text.
fn whole(nonce: &[u8]) -> Vec<u8> {
    let mut nonce = nonce.to_vec();
    if nonce.len() < NONCE_LEN {
        nonce.resize(NONCE_LEN, 0);
    }
    nonce
}

fn signed<E>(
    answer: std::result::Result<mysql_common::auth::plugins::Response, E>,
    plugin: &str,
) -> Result<Vec<u8>> {
    let answer = answer.map_err(|_| unusable(plugin))?;
    answer.data().map(<[u8]>::to_vec).ok_or_else(|| unusable(plugin))
}

fn unusable(plugin: &str) -> Error {
    Error::protocol(format!("the server's data for `{plugin}` are not of its form"))
}

struct Password<'a>(&'a [u8]);

impl Context for Password<'_> {
    fn pass(&self) -> &[u8] {
        self.0
    }

    fn is_ipc_transport(&self) -> bool {
        false
    }

    fn is_tls_transport(&self) -> bool {
        false
    }

    fn scramble(&self) -> &[u8] {
        &[]
    }

    fn server_key_pem(&self) -> Option<&[u8]> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ed25519_signs_the_nonce() {
        let nonce = [7; NONCE_LEN];
        let answer = ed25519_response(&nonce, b"secret").unwrap();
        assert_eq!(answer.len(), 64);
        assert_eq!(answer, ed25519_response(&nonce, b"secret").unwrap());
        assert_ne!(answer, ed25519_response(&nonce, b"other").unwrap());
        assert_ne!(answer, ed25519_response(&[8; NONCE_LEN], b"secret").unwrap());
        assert!(ed25519_response(&[7; 33], b"secret").is_err());
    }

    #[test]
    fn parsec_answers_twice() {
        let mut salt = vec![b'P', 0];
        salt.extend_from_slice(&[5; 18]);
        let run = |salt: &[u8]| {
            Parsec::start(&[7; NONCE_LEN], b"secret").unwrap().answer(salt, b"secret")
        };
        // A nonce of its own, and the signature.
        assert_eq!(run(&salt).unwrap().len(), 96);
        let escaped = [&[1], salt.as_slice()].concat();
        assert_eq!(run(&escaped).unwrap().len(), 96);
        assert!(Parsec::start(&[7; 33], b"secret").is_err());
        for bad in [&salt[..19], b"X", b"", &[&[b'P', 4], &salt[2..]].concat()] {
            assert!(run(bad).is_err());
        }
    }
}
