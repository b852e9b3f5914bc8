//! Which tables the names in signals mean.

use std::collections::HashSet;

use tether_api::Result;
use tether_api::data::java_hash_order;
use tether_java_regex::Pattern;

use super::notice::Happened;
use super::snapshots::IncrementalSnapshots;
use super::state::names;
use crate::catalog::tables;
use crate::config::table_name;
use crate::table::TableId;

impl IncrementalSnapshots {
    /// The names of the captured tables that expressions match, each once, in
    /// about the order of the reference's hash map; an expression that matches
    /// none stands for a name.
    ///
    /// # Errors
    /// Retriable, if the database cannot be asked now.
    pub(super) async fn expand(&mut self, expressions: &[String]) -> Result<Vec<String>> {
        let session = self.session().await?;
        let captured = tables::names(&session).await?.into_iter();
        let captured = captured.filter(|id| self.settings.filters.captures(id));
        let captured = captured.map(|id| id.to_string()).collect();
        Ok(expanded(
            expressions,
            &java_hash_order(captured, |name: &String| name),
        ))
    }

    /// Leaves out the tables that signals asked to stop.
    ///
    /// # Errors
    /// Retriable, if the database cannot be asked now.
    pub(super) async fn process_stop(&mut self) -> Result<()> {
        if self.to_stop.is_empty() {
            return Ok(());
        }
        let expressions = self.to_stop.clone();
        let found = self.expand(&expressions).await?;
        self.to_stop.clear();
        if !self.state.is_running() {
            tracing::warn!("No active incremental snapshot, stop ignored");
            self.state.correlation_id = None;
            return Ok(());
        }
        let (mut stopped, mut current) = (Vec::new(), None);
        for id in found.iter().filter_map(|name| table_name(name)) {
            if self.is_reading(&id) {
                current = Some(id);
            } else if self.state.remove(&id) {
                tracing::info!("Removed '{id}' from incremental snapshot collection list.");
                self.told.left_out(&id);
                stopped.push(id);
            } else {
                tracing::warn!(
                    "Could not remove '{id}', collection is not part of the incremental snapshot."
                );
            }
        }
        // The table that is read comes last, as the others might be next.
        if let Some(id) = current {
            tracing::info!("Removed current collection '{id}' from incremental snapshot.");
            stopped.push(id);
            self.go_to_next_table();
        } else if !self.state.is_running() {
            self.told.aborted();
        }
        self.notify(Happened::Aborted(names(stopped.iter())));
        if !self.state.is_running() {
            self.state.correlation_id = None;
        }
        Ok(())
    }

    /// Whether the reading of a table has begun, and not ended.
    fn is_reading(&self, id: &TableId) -> bool {
        let is_first = self.state.current().is_some_and(|first| first.id == *id);
        // It may have to be described anew.
        is_first && (self.table.is_some() || self.state.maximum.is_some())
    }
}

fn expanded(expressions: &[String], captured: &[String]) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut names = Vec::new();
    for expression in expressions {
        let pattern = Pattern::whole(expression);
        if let Err(error) = &pattern {
            tracing::warn!(%error, "'{expression}' is no regular expression");
        }
        let matching = |name: &&String| {
            let pattern = pattern.as_ref();
            pattern.is_ok_and(|pattern| pattern.matches(name))
        };
        let mut found: Vec<&String> = captured.iter().filter(matching).collect();
        if found.is_empty() {
            found.push(expression);
        }
        for name in found {
            if seen.insert(name.clone()) {
                names.push(name.clone());
            }
        }
    }
    names
}
