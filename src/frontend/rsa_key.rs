//! The RSA key by which clients encrypt their password on connections without TLS.

use std::sync::Arc;

use rsa::pkcs8::{EncodePublicKey, LineEnding};
use rsa::rand_core::OsRng;
use rsa::{Oaep, RsaPrivateKey, RsaPublicKey};
use sha1::Sha1;
use tokio::sync::OnceCell;

use crate::error::{Error, Result};

const BITS: usize = 2048;

/// Made when the first client asks for it. Share one for the life of the process: clients may keep
/// the public key.
#[derive(Default)]
pub struct RsaKey {
    pair: OnceCell<Arc<Pair>>,
}

struct Pair {
    private: RsaPrivateKey,
    public_pem: String,
}

impl RsaKey {
    pub fn new() -> Self {
        Self::default()
    }

    /// The public key as clients want it: PEM.
    pub(super) async fn public_pem(&self) -> Result<String> {
        Ok(self.pair().await?.public_pem.clone())
    }

    /// Decrypts what a client encrypted; `None` if that was not by this key.
    pub(super) async fn decrypt(&self, encrypted: Vec<u8>) -> Result<Option<Vec<u8>>> {
        let pair = Arc::clone(self.pair().await?);
        let decrypt = move || {
            // Blinding hides the key from those who measure the time.
            pair.private.decrypt_blinded(&mut OsRng, Oaep::new::<Sha1>(), &encrypted).ok()
        };
        tokio::task::spawn_blocking(decrypt).await.map_err(failed)
    }

    async fn pair(&self) -> Result<&Arc<Pair>> {
        let make = || async {
            tokio::task::spawn_blocking(Pair::generate).await.map_err(failed)?.map(Arc::new)
        };
        self.pair.get_or_try_init(make).await
    }
}

impl Pair {
    fn generate() -> Result<Self> {
        let private = RsaPrivateKey::new(&mut OsRng, BITS).map_err(failed)?;
        let public_pem =
            RsaPublicKey::from(&private).to_public_key_pem(LineEnding::LF).map_err(failed)?;
        Ok(Self { private, public_pem })
    }
}

impl std::fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RsaKey(..)")
    }
}

fn failed(source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::internal("the RSA key for logins does not work").with_source(source)
}

#[cfg(test)]
mod tests {
    use rsa::pkcs8::DecodePublicKey;

    use super::*;

    #[tokio::test]
    async fn what_clients_encrypt_is_decrypted() {
        let key = RsaKey::new();
        let pem = key.public_pem().await.unwrap();
        assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\n"));
        let public = RsaPublicKey::from_public_key_pem(&pem).unwrap();
        let encrypted = public.encrypt(&mut OsRng, Oaep::new::<Sha1>(), b"secret").unwrap();
        assert_eq!(key.decrypt(encrypted.clone()).await.unwrap().as_deref(), Some(&b"secret"[..]));
        assert_eq!(RsaKey::new().decrypt(encrypted).await.unwrap(), None);
        assert_eq!(key.decrypt(vec![1, 2, 3]).await.unwrap(), None);
    }
}
