//! Packets before a login is over, from both sides. What can be read must be written so that it reads
//! the same.

#![no_main]

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use margay::protocol::curve::{Parsec, ed25519_response};
use margay::protocol::handshake::{Greeting, HandshakeResponse, SslRequest};
use margay::protocol::login::{AuthReply, AuthSwitch, ChangeUser};

fuzz_target!(|data: &[u8]| {
    let (flags, data) = margay_fuzz::flags(data);
    let mut out = BytesMut::new();
    let _ = SslRequest::parse(data);
    if let Ok(response) = HandshakeResponse::parse(data) {
        response.put(&mut out);
        let again = HandshakeResponse::parse(&out).expect("what was written is read");
        assert_eq!(again.user, response.user);
        assert_eq!(again.attributes, response.attributes);
        out.clear();
    }
    if let Ok(greeting) = Greeting::parse(data) {
        let _ = (greeting.is_mariadb(), greeting.version());
        greeting.put(&mut out);
        let again = Greeting::parse(&out).expect("what was written is read");
        assert_eq!((again.connection_id, again.salt), (greeting.connection_id, greeting.salt));
        out.clear();
    }
    if let Ok(change) = ChangeUser::parse(data, flags) {
        change.put(&mut out, flags);
        out.clear();
    }
    let _ = AuthSwitch::parse(data);
    if let Ok(AuthReply::Switch(switch)) = AuthReply::parse(&Bytes::copy_from_slice(data), flags) {
        let _ = ed25519_response(&switch.data, b"secret");
        let _ = Parsec::start(&switch.data, b"secret");
    }
});
