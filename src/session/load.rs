//! LOAD DATA LOCAL: whether the client may, and the statement.

use super::Session;
use crate::error::{Error, Result, ServerError};
use crate::execute::Reply;
use crate::execute::run::Call;
use crate::protocol::capability::CapabilityFlags;
use crate::sql::Statement;
use crate::sql::load::LoadData;

impl Session {
    pub(super) async fn load_data(
        &mut self,
        text: &[u8],
        statement: &Statement,
        load: &LoadData,
    ) -> Result<Reply> {
        let offered = self.capabilities().contains(CapabilityFlags::CLIENT_LOCAL_FILES);
        if !offered || !self.snapshot.config.settings.local_infile {
            return Err(self.refuse_files());
        }
        if let Some(view) =
            self.view(&load.table).await?.filter(|_| statement.hints.shard.is_none())
        {
            return Err(Error::unsupported(format!(
                "`{}` is a view that Margay puts together from its tables, and takes no file; load its \
                 tables",
                view.name
            )));
        }
        self.run_tables(text, statement, Call::Text).await
    }

    /// In the words of the server that clients take Margay for.
    fn refuse_files(&self) -> Error {
        let (code, state, message) = match self.is_mariadb() {
            true => (
                4166,
                *b"HY000",
                "The used command is not allowed because the MariaDB server or client has disabled the \
                 local infile capability",
            ),
            false => (
                3948,
                *b"42000",
                "Loading local data is disabled; this must be enabled on both the client and server \
                 sides",
            ),
        };
        Error::server(ServerError { code, state, message: message.as_bytes().to_vec() })
    }
}
