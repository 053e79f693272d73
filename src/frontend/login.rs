//! Checking a client's password.

use super::handshake::{
    DEFAULT_PLUGIN, HandshakeContext, Login, PACKET_MAX, bad_handshake, fresh_salt,
};
use super::stream::ClientStream;
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::auth::{
    AuthPlugin, PasswordDigest, SHA2_FAST_OK, SHA2_FULL, SHA2_REQUEST_KEY, Salt, reveal,
};
use crate::protocol::capability::CapabilityFlags;
use crate::protocol::login::{AuthSwitch, put_auth_more_data};

/// What a client sent to prove who it is.
#[derive(Debug)]
pub(super) struct Credentials {
    /// That of the greeting.
    pub(super) salt: Salt,
    /// The plugin that made `response`.
    pub(super) plugin: String,
    pub(super) response: Vec<u8>,
    /// This is the answer to the greeting, not a change of user later on.
    pub(super) greeted: bool,
}

/// A response to a salt by a plugin that we speak.
struct Proof {
    salt: Salt,
    plugin: AuthPlugin,
    response: Vec<u8>,
}

/// Lets the client prove its password. Unknown users and wrong passwords go the same way at the same
/// cost. Either plugin is taken, since a digest for both is known.
pub(super) async fn authenticate(
    stream: &mut ClientStream,
    login: &Login,
    credentials: Credentials,
    ctx: &HandshakeContext,
) -> Result<()> {
    let proof = settle_plugin(stream, login, credentials).await.map_err(bad_handshake)?;
    let digest = ctx.users.digest(&login.user);
    let right = match proof.plugin {
        AuthPlugin::Native => digest.verify_native(&proof.salt, &proof.response),
        AuthPlugin::CachingSha2 => {
            check_sha2(stream, &proof, digest, ctx).await.map_err(bad_handshake)?
        }
        // None of these is ever asked of a client.
        AuthPlugin::Clear | AuthPlugin::Ed25519 | AuthPlugin::Parsec => false,
    };
    let known = ctx.users.get(&login.user).is_some();
    let secure = ctx.users.is_secure(&login.user, login.tls, stream.peer_names().as_ref());
    if right && known && secure {
        return Ok(());
    }
    if right && known {
        // MySQL tells the client no more than of a wrong password.
        tracing::warn!(
            user = login.user,
            host = login.host,
            "the login is not as the user's `tls` asks"
        );
    }
    let password = if proof.response.is_empty() { "NO" } else { "YES" };
    Err(Error::new(
        ErrorKind::AccessDenied,
        format!(
            "Access denied for user '{}'@'{}' (using password: {password})",
            login.user, login.host
        ),
    ))
}

/// Takes the client's response as it is if it was made by a plugin we speak and for our salt; else
/// asks for another.
async fn settle_plugin(
    stream: &mut ClientStream,
    login: &Login,
    credentials: Credentials,
) -> Result<Proof> {
    let Credentials { salt, plugin, response, greeted } = credentials;
    let plugin = match AuthPlugin::from_name(&plugin) {
        Some(plugin @ (AuthPlugin::Native | AuthPlugin::CachingSha2)) => plugin,
        Some(AuthPlugin::Clear | AuthPlugin::Ed25519 | AuthPlugin::Parsec) | None => {
            return switch(stream, DEFAULT_PLUGIN, fresh_salt()).await;
        }
    };
    // A client whose plugin is not the one of the greeting may have sent nothing, waiting to be asked.
    let asked = plugin == DEFAULT_PLUGIN || !response.is_empty();
    let can_switch = login.capabilities.contains(CapabilityFlags::CLIENT_PLUGIN_AUTH);
    if can_switch && !greeted {
        // Some clients change users by the older plugin, and then know no salt but that of the greeting.
        let plugin = if login.speaks_default { DEFAULT_PLUGIN } else { plugin };
        return switch(stream, plugin, fresh_salt()).await;
    }
    if can_switch && !asked {
        return switch(stream, plugin, salt).await;
    }
    Ok(Proof { salt, plugin, response })
}

async fn switch(stream: &mut ClientStream, plugin: AuthPlugin, salt: Salt) -> Result<Proof> {
    let request = AuthSwitch { plugin: plugin.name().to_owned(), data: salt.to_vec() };
    stream.put_with(|out| request.put(out));
    let response = ask(stream).await?;
    Ok(Proof { salt, plugin, response })
}

/// Sends what was put and reads the client's answer.
async fn ask(stream: &mut ClientStream) -> Result<Vec<u8>> {
    stream.expect_answer();
    stream.flush().await?;
    Ok(stream.read_packet(PACKET_MAX).await?.to_vec())
}

/// Checks by `caching_sha2_password`: the response if that is right, else the password itself.
async fn check_sha2(
    stream: &mut ClientStream,
    proof: &Proof,
    digest: &PasswordDigest,
    ctx: &HandshakeContext,
) -> Result<bool> {
    // Some clients send a lone NUL for no password.
    if matches!(proof.response.as_slice(), [] | [0]) {
        return Ok(digest.is_empty());
    }
    if digest.verify_sha2(&proof.salt, &proof.response) {
        stream.put_with(|out| put_auth_more_data(out, &[SHA2_FAST_OK]));
        return Ok(true);
    }
    // Some clients compute the response otherwise, and get in by the password, as they do with MySQL.
    stream.put_with(|out| put_auth_more_data(out, &[SHA2_FULL]));
    let answer = ask(stream).await?;
    let password = if stream.is_tls() {
        answer.strip_suffix(&[0]).map(<[u8]>::to_vec)
    } else {
        decrypt(stream, answer, &proof.salt, ctx).await?
    };
    Ok(password.is_some_and(|password| digest.verify_password(&password)))
}

/// The password out of an answer over a connection without TLS: the client asks for the public key
/// first, unless it has it.
async fn decrypt(
    stream: &mut ClientStream,
    mut answer: Vec<u8>,
    salt: &Salt,
    ctx: &HandshakeContext,
) -> Result<Option<Vec<u8>>> {
    if answer == [SHA2_REQUEST_KEY] {
        let pem = ctx.rsa.public_pem().await?;
        stream.put_with(|out| put_auth_more_data(out, pem.as_bytes()));
        answer = ask(stream).await?;
    }
    let obfuscated = ctx.rsa.decrypt(answer).await?;
    Ok(obfuscated.and_then(|bytes| reveal(&bytes, salt)))
}
