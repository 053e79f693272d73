//! Proving a password without sending it: `mysql_native_password` and `caching_sha2_password`.
//!
//! A server keeps only a digest of a digest of each password. The client's response proves that it
//! knows the inner digest; comparisons take the same time whatever differs.

use mysql_common::auth::plugins::caching_sha2_password::scramble_sha256;
use mysql_common::auth::plugins::mysql_native_password::scramble_native;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::handshake::SALT_LEN;
use crate::error::{Error, ErrorKind, Result};

/// Random bytes of one login. They hold no NUL, since clients treat them as text.
pub type Salt = [u8; SALT_LEN];

/// A client's request, in its own packet, for the server's RSA key.
pub const SHA2_REQUEST_KEY: u8 = 0x02;
/// The server's word that the response was right; an OK packet follows.
pub const SHA2_FAST_OK: u8 = 0x03;
/// The server's word that it needs the password itself.
pub const SHA2_FULL: u8 = 0x04;

/// The authentication plugins that Margay speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthPlugin {
    Native,
    CachingSha2,
    /// The password as it is: only over TLS.
    Clear,
    /// Of MariaDB, towards servers alone: see [`super::curve`].
    Ed25519,
    Parsec,
}

impl AuthPlugin {
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "mysql_native_password",
            Self::CachingSha2 => "caching_sha2_password",
            Self::Clear => "mysql_clear_password",
            Self::Ed25519 => "client_ed25519",
            Self::Parsec => "parsec",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Native, Self::CachingSha2, Self::Clear, Self::Ed25519, Self::Parsec]
            .into_iter()
            .find(|plugin| plugin.name() == name)
    }
}

/// A client's response under `mysql_native_password`; empty for an empty password.
pub fn native_response(salt: &Salt, password: &[u8]) -> Vec<u8> {
    scramble_native(salt, password).map_or_else(Vec::new, |response| response.to_vec())
}

/// A client's first response under `caching_sha2_password`; empty for an empty password.
pub fn sha2_response(salt: &Salt, password: &[u8]) -> Vec<u8> {
    scramble_sha256(salt, password).map_or_else(Vec::new, |response| response.to_vec())
}

/// What a server knows of a password: enough to check it, not enough to log in elsewhere.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordDigest {
    /// SHA1(SHA1(password))
    native: [u8; 20],
    /// SHA256(SHA256(password)); `None` if only the hash of `mysql_native_password` is known.
    sha2: Option<[u8; 32]>,
    empty: bool,
}

impl PasswordDigest {
    pub fn of(password: &[u8]) -> Self {
        Self {
            native: Sha1::digest(Sha1::digest(password)).into(),
            sha2: Some(sha2_digest(password)),
            empty: password.is_empty(),
        }
    }

    /// Takes the hash that `mysql.user` holds for `mysql_native_password`: `*` and 40 hexadecimal
    /// digits. The error does not repeat it.
    pub fn from_native_hash(hash: &str) -> Result<Self> {
        let native = parse_hash(hash).ok_or_else(|| {
            Error::new(ErrorKind::Config, "a password hash is '*' and 40 hexadecimal digits")
        })?;
        Ok(Self { native, sha2: None, empty: false })
    }

    /// Only the hash of `mysql_native_password` is known: under `caching_sha2_password`, the client
    /// must send the password itself.
    pub fn hash_only(&self) -> bool {
        self.sha2.is_none()
    }

    /// The account has no password: the only right response is an empty one.
    pub fn is_empty(&self) -> bool {
        self.empty
    }

    /// Checks a response under `mysql_native_password`.
    pub fn verify_native(&self, salt: &Salt, response: &[u8]) -> bool {
        if self.empty || response.is_empty() {
            return self.empty && response.is_empty();
        }
        let Ok(response) = <[u8; 20]>::try_from(response) else { return false };
        let mask: [u8; 20] =
            Sha1::new().chain_update(salt).chain_update(self.native).finalize().into();
        let inner = xor(&response, &mask);
        Sha1::digest(inner).ct_eq(&self.native[..]).into()
    }

    /// Checks the first response under `caching_sha2_password`. Always `false` if
    /// [`Self::hash_only`].
    pub fn verify_sha2(&self, salt: &Salt, response: &[u8]) -> bool {
        if self.empty || response.is_empty() {
            return self.empty && response.is_empty();
        }
        self.sha2.is_some_and(|digest| verify_sha2_fast(&digest, salt, response))
    }

    /// Checks the password itself.
    pub fn verify_password(&self, password: &[u8]) -> bool {
        match &self.sha2 {
            Some(digest) => sha2_digest(password).ct_eq(&digest[..]).into(),
            None => Sha1::digest(Sha1::digest(password)).ct_eq(&self.native[..]).into(),
        }
    }
}

fn parse_hash(hash: &str) -> Option<[u8; 20]> {
    let digits = hash.strip_prefix('*')?.as_bytes();
    let mut bytes = [0; 20];
    if digits.len() != 2 * bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        for &digit in pair {
            *byte = *byte << 4 | char::from(digit).to_digit(16)? as u8;
        }
    }
    Some(bytes)
}

impl std::fmt::Debug for PasswordDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordDigest(..)")
    }
}

/// SHA256(SHA256(password)): what [`verify_sha2_fast`] checks against.
pub fn sha2_digest(password: &[u8]) -> [u8; 32] {
    Sha256::digest(Sha256::digest(password)).into()
}

/// Whether the sender of `response` knows the password of `digest`; a response of a wrong length is
/// wrong.
pub fn verify_sha2_fast(digest: &[u8; 32], salt: &Salt, response: &[u8]) -> bool {
    let Ok(response) = <[u8; 32]>::try_from(response) else { return false };
    let mask: [u8; 32] = Sha256::new().chain_update(digest).chain_update(salt).finalize().into();
    let inner = xor(&response, &mask);
    Sha256::digest(inner).ct_eq(&digest[..]).into()
}

/// Hides a password, with a final NUL, under the salt: what a client encrypts with the server's RSA
/// key.
pub fn obfuscate(password: &[u8], salt: &Salt) -> Vec<u8> {
    let with_nul = password.iter().chain(&[0]);
    with_nul.zip(salt.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect()
}

/// Undoes [`obfuscate`]; `None` without the final NUL.
pub fn reveal(obfuscated: &[u8], salt: &Salt) -> Option<Vec<u8>> {
    let masks = salt.iter().cycle();
    let mut password: Vec<u8> =
        obfuscated.iter().zip(masks).map(|(byte, mask)| byte ^ mask).collect();
    (password.pop() == Some(0)).then_some(password)
}

fn xor<const N: usize>(left: &[u8; N], right: &[u8; N]) -> [u8; N] {
    let mut out = *left;
    out.iter_mut().zip(right).for_each(|(byte, mask)| *byte ^= mask);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: &Salt = b"NR3HP:qIYa_9=db?Sd{`";

    fn check(password: &str, given: &str, expect: bool) {
        let digest = PasswordDigest::of(password.as_bytes());
        let given = given.as_bytes();
        assert_eq!(digest.verify_native(SALT, &native_response(SALT, given)), expect);
        assert_eq!(digest.verify_sha2(SALT, &sha2_response(SALT, given)), expect);
        assert_eq!(digest.verify_password(given), expect);
        let other = b"01234567890123456789";
        let stale = digest.verify_sha2(other, &sha2_response(SALT, given));
        assert_eq!(stale, expect && given.is_empty());
    }

    #[test]
    fn passwords() {
        check("secret", "secret", true);
        check("secret", "Secret", false);
        check("secret", "", false);
        check("", "", true);
        check("", "secret", false);
        check("pässwörd", "pässwörd", true);
    }

    #[test]
    fn responses_of_a_wrong_length_are_wrong() {
        let digest = PasswordDigest::of(b"secret");
        for len in [1, 19, 20, 21, 31, 32, 33, 256] {
            assert!(!digest.verify_native(SALT, &vec![0; len]));
            assert!(!digest.verify_sha2(SALT, &vec![0; len]));
        }
    }

    #[test]
    fn known_scrambles() {
        // SHA1(pw) ^ SHA1(salt + SHA1(SHA1(pw))), computed apart.
        let native = native_response(SALT, b"G!ider27");
        assert_eq!(native.len(), 20);
        let outer =
            Sha1::new().chain_update(SALT).chain_update(Sha1::digest(Sha1::digest(b"G!ider27")));
        let expect: Vec<u8> =
            Sha1::digest(b"G!ider27").iter().zip(outer.finalize()).map(|(a, b)| a ^ b).collect();
        assert_eq!(native, expect);
    }

    #[test]
    fn accounts_known_by_hash() {
        // SELECT PASSWORD('secret')
        let hash = "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7";
        let digest = PasswordDigest::from_native_hash(hash).unwrap();
        assert!(digest.hash_only() && !digest.is_empty());
        assert!(digest.verify_native(SALT, &native_response(SALT, b"secret")));
        assert!(!digest.verify_native(SALT, &native_response(SALT, b"Secret")));
        assert!(!digest.verify_sha2(SALT, &sha2_response(SALT, b"secret")));
        assert!(digest.verify_password(b"secret") && !digest.verify_password(b"Secret"));
        for bad in ["", "*", &hash[1..], &hash[..40], "*14E65567ABDB5135D0CFD9A70B3032C179A49Ex7"] {
            assert!(PasswordDigest::from_native_hash(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn obfuscation_goes_both_ways() {
        let long = "x".repeat(50);
        for password in ["", "secret", &long] {
            let hidden = obfuscate(password.as_bytes(), SALT);
            assert_eq!(hidden.len(), password.len() + 1);
            assert_eq!(reveal(&hidden, SALT).as_deref(), Some(password.as_bytes()));
        }
        assert_eq!(reveal(&[], SALT), None);
        assert_eq!(reveal(b"abc", SALT), None);
    }

    #[test]
    fn plugins_by_name() {
        assert_eq!(AuthPlugin::from_name("caching_sha2_password"), Some(AuthPlugin::CachingSha2));
        assert_eq!(AuthPlugin::from_name("sha256_password"), None);
        assert_eq!(format!("{:?}", PasswordDigest::of(b"x")), "PasswordDigest(..)");
    }
}
