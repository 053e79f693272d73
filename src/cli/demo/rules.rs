//! The sample rules, carried inside the program, for servers on ports of our choice.

use std::collections::HashMap;

use crate::config::{self, Config, Source};
use crate::error::{Error, ErrorKind, Result};

use super::cluster::Cluster;

const FILES: [(&str, &str); 4] = [
    ("rules/clusters.yaml", include_str!("../../../rules/clusters.yaml")),
    ("rules/settings.yaml", include_str!("../../../rules/settings.yaml")),
    ("rules/shop.yaml", include_str!("../../../rules/shop.yaml")),
    ("rules/users.yaml", include_str!("../../../rules/users.yaml")),
];

/// The CREATE TABLE statements of the sample tables, and comments.
pub(super) const TABLES: &str = include_str!("../../../rules/shop.sql");

pub(super) const SCHEMA: &str = "shop";
pub(super) const USER: &str = "app";
pub(super) const PASSWORD: &str = "app";
/// Databases of the shards of each cluster.
pub(super) const DATABASES: [&str; 5] = ["shop", "shop_0", "shop_1", "shop_2", "shop_3"];

/// The sample rules with the addresses of these clusters, and a proxy on loopback `port`.
pub(super) fn config(clusters: &[Cluster], port: u16) -> Result<Config> {
    let mut variables = HashMap::from([("MARGAY_LISTEN".to_owned(), format!("127.0.0.1:{port}"))]);
    for (index, Cluster { primary, replica }) in clusters.iter().enumerate() {
        let mut set = |what: &str, value: String| {
            variables.insert(format!("MARGAY_C{index}_{what}"), value);
        };
        set("PRIMARY", primary.address().to_string());
        set("REPLICA", replica.address().to_string());
        let account = primary.account();
        variables.insert("MARGAY_BACKEND_USER".to_owned(), account.user.clone());
        variables.insert("MARGAY_BACKEND_PASSWORD".to_owned(), account.password.clone());
    }
    parse(&|name| variables.get(name).cloned())
}

fn parse(env: config::Lookup<'_>) -> Result<Config> {
    let sources = FILES.map(|(name, text)| Source { name: name.to_owned(), text: text.to_owned() });
    match config::parse(&sources, env) {
        Ok((config, _)) => Ok(config),
        Err(problems) => {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            let message = format!("the sample rules are wrong: {}", lines.join("; "));
            Err(Error::new(ErrorKind::Config, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sample_rules_are_right() {
        let config = parse(&|_| None).unwrap();
        assert_eq!(config.clusters.len(), 2);
        assert!(config.users.contains_key(USER) && config.schemas.contains_key(SCHEMA));
    }
}
