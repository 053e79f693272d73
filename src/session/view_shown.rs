//! SHOW and DESCRIBE of views that Margay keeps.

use super::Session;
use super::local::{Heading, cell, text_row};
use crate::error::Result;
use crate::execute::Reply;
use crate::execute::information::{ShownColumn, ShownView};
use crate::execute::reply::Rows;
use crate::execute::views::COLUMNS_OF_VIEW;
use crate::plan::facts::Facts;
use crate::plan::views::View;
use crate::protocol::column::Column;
use crate::sql::{self, Mode, quote};

type Row = Vec<Option<Vec<u8>>>;

impl Session {
    /// Runs a SHOW COLUMNS or DESCRIBE of [`COLUMNS_OF_VIEW`], which has the columns of the view.
    pub(super) async fn view_columns(&mut self, view: &View, text: &[u8]) -> Result<Reply> {
        let (columns, mut rows) = self.columns_of_view(view, text).await?;
        // Of temporary tables some servers show nothing there, of views an empty text.
        if let Some(extra) = columns.iter().position(|column| column.name == b"Extra".as_slice()) {
            for cell in rows.iter_mut().filter_map(|row| row.get_mut(extra)) {
                cell.get_or_insert_with(Vec::new);
            }
        }
        Ok(Reply::Rows(Rows::local(columns, rows.iter().map(|row| text_row(row)))))
    }

    async fn columns_of_view(
        &mut self,
        view: &View,
        show: &[u8],
    ) -> Result<(Vec<Column>, Vec<Row>)> {
        let name = |name: &str| quote::identifier(name.as_bytes());
        let (schema, view) = (name(&view.schema), name(&view.name));
        let text = [b"SELECT * FROM ".as_slice(), &schema, b".", &view, b" LIMIT 0"].concat();
        let mode = std::mem::replace(&mut self.mode, Mode::default());
        let planned = self.planned(&text).await;
        self.mode = mode;
        let (columns, rows) = self.snapshot.show_view_columns(&planned?, show).await?;
        let cell = |cell: Option<bytes::Bytes>| cell.map(|cell| cell.to_vec());
        let rows = rows.into_iter().map(|row| row.into_iter().map(cell).collect());
        Ok((columns, rows.collect()))
    }

    async fn planned(&mut self, text: &[u8]) -> Result<crate::plan::Plan> {
        let statement = sql::parse(text, &self.mode)?;
        let expanded = self.expanded(text, &statement).await?;
        let (text, statement) = match &expanded {
            Some(expanded) => (expanded.text.as_slice(), &expanded.statement),
            None => (text, &statement),
        };
        let substituted = self.substituted(text, statement)?;
        let (text, statement) = match &substituted {
            Some((text, statement)) => (text.as_slice(), statement),
            None => (text, statement),
        };
        self.plan(text, statement, &mut Facts::default(), &[]).await
    }

    pub(super) async fn show_create_view(&mut self, view: &View) -> Result<Reply> {
        let headings = [
            Heading::Text("View"),
            Heading::Text("Create View"),
            Heading::Text("character_set_client"),
            Heading::Text("collation_connection"),
        ];
        let (charset, collation) = ShownView::CHARSET;
        let row =
            vec![cell(view.name.as_str()), cell(create_text(view)), cell(charset), cell(collation)];
        Ok(self.rows(&headings, vec![row]))
    }

    /// The views of the schemas that the client may see, for information_schema; their columns too if
    /// they are asked for. A view whose tables are gone has none.
    pub(super) async fn shown_views(&mut self, with_columns: bool) -> Result<Vec<ShownView>> {
        let schemas: Vec<String> =
            self.viewer().schemas.into_iter().map(|schema| schema.name).collect();
        let snapshot = self.snapshot.clone();
        let mut shown = Vec::new();
        for schema in schemas.iter().filter(|name| snapshot.catalog.schema(name).is_some()) {
            for view in snapshot.load_views(schema).await?.values() {
                let mut columns = Vec::new();
                if with_columns {
                    let text = format!("SHOW FULL COLUMNS FROM `{COLUMNS_OF_VIEW}`");
                    match self.columns_of_view(view, text.as_bytes()).await {
                        Ok((_, rows)) => {
                            columns.extend(rows.iter().map(|row| ShownColumn::of(row)))
                        }
                        Err(error) => {
                            tracing::debug!(view = view.name, %error, "a view without columns");
                        }
                    }
                }
                shown.push(ShownView { view: view.clone(), columns });
            }
        }
        Ok(shown)
    }
}

/// The text of a view as SHOW CREATE VIEW has it.
fn create_text(view: &View) -> String {
    let View { name, definition, algorithm, definer, invoker, check, .. } = view;
    let name = String::from_utf8_lossy(&quote::identifier(name.as_bytes())).into_owned();
    let security = if *invoker { "INVOKER" } else { "DEFINER" };
    let check = match check.as_str() {
        "NONE" => String::new(),
        check => format!(" WITH {check} CHECK OPTION"),
    };
    format!(
        "CREATE ALGORITHM={algorithm} DEFINER={definer} SQL SECURITY {security} VIEW {name} AS \
         {definition}{check}"
    )
}
