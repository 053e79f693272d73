//! Proofs of passwords and the packets that carry them.

use std::io;

use rsa::pkcs8::DecodePublicKey;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::transport::Packing;
use super::{Login, broken, capability};

/// The answer of `plugin` to a salt.
pub(super) fn scramble(plugin: &str, password: &str, salt: &[u8]) -> io::Result<Vec<u8>> {
    let secret = password.as_bytes();
    match plugin {
        "mysql_clear_password" => Ok([secret, b"\0"].concat()),
        _ if password.is_empty() => Ok(Vec::new()),
        // What MySQL asks of users that it does not know; no answer would be right.
        "sha256_password" => Ok(vec![0]),
        "mysql_native_password" => {
            let hash = Sha1::digest(secret);
            let twice = Sha1::digest(hash);
            let mask = Sha1::new().chain_update(salt).chain_update(twice).finalize();
            Ok(xor(&hash, &mask))
        }
        "caching_sha2_password" => {
            let hash = Sha256::digest(secret);
            let twice = Sha256::digest(hash);
            let mask = Sha256::new().chain_update(twice).chain_update(salt).finalize();
            Ok(xor(&hash, &mask))
        }
        other => Err(broken(format!("this client cannot answer plugin `{other}`"))),
    }
}

fn xor(left: &[u8], right: &[u8]) -> Vec<u8> {
    left.iter().zip(right).map(|(left, right)| left ^ right).collect()
}

/// The password under the server's RSA key.
pub(super) fn encrypt(password: &str, salt: &[u8], key: &[u8]) -> io::Result<Vec<u8>> {
    let text = std::str::from_utf8(key).map_err(|_| broken("the key is not PEM"))?;
    let key = rsa::RsaPublicKey::from_public_key_pem(text.trim())
        .map_err(|error| broken(format!("the server's key: {error}")))?;
    let mut plain = [password.as_bytes(), b"\0"].concat();
    for (byte, mask) in plain.iter_mut().zip(salt.iter().cycle()) {
        *byte ^= mask;
    }
    key.encrypt(&mut rsa::rand_core::OsRng, rsa::Oaep::new::<Sha1>(), &plain)
        .map_err(|error| broken(format!("cannot encrypt: {error}")))
}

pub(super) fn handshake_response(
    login: &Login,
    capabilities: u32,
    plugin: &str,
    proof: &[u8],
) -> Vec<u8> {
    let mut packet = ssl_request(login, capabilities);
    packet.extend_from_slice(login.user.as_bytes());
    packet.push(0);
    packet.push(u8::try_from(proof.len()).unwrap_or(0));
    packet.extend_from_slice(proof);
    if capabilities & capability::CONNECT_WITH_DB != 0 {
        packet.extend_from_slice(login.schema.as_deref().unwrap_or_default().as_bytes());
        packet.push(0);
    }
    if capabilities & capability::PLUGIN_AUTH != 0 {
        packet.extend_from_slice(plugin.as_bytes());
        packet.push(0);
    }
    if capabilities & capability::CONNECT_ATTRS != 0 {
        let attributes = b"\x0c_client_name\x06margay";
        packet.push(u8::try_from(attributes.len()).unwrap_or(0));
        packet.extend_from_slice(attributes);
    }
    if let Some(Packing::Zstd(level)) = login.packing {
        packet.push(level);
    }
    packet
}

/// The fixed part of the response, which asks for TLS if it is sent alone.
pub(super) fn ssl_request(login: &Login, capabilities: u32) -> Vec<u8> {
    let mut packet = capabilities.to_le_bytes().to_vec();
    packet.extend_from_slice(&0x0100_0000_u32.to_le_bytes());
    packet.push(login.collation);
    packet.extend_from_slice(&[0; 23]);
    packet
}

/// The body of `COM_CHANGE_USER`.
pub(super) fn change_user(login: &Login, plugin: &str, proof: &[u8]) -> Vec<u8> {
    let mut body = login.user.as_bytes().to_vec();
    body.push(0);
    body.push(u8::try_from(proof.len()).unwrap_or(0));
    body.extend_from_slice(proof);
    body.extend_from_slice(login.schema.as_deref().unwrap_or_default().as_bytes());
    body.push(0);
    body.extend_from_slice(&u16::from(login.collation).to_le_bytes());
    body.extend_from_slice(plugin.as_bytes());
    body.push(0);
    body
}
