//! The sparse workbook: what is set of each piece of work, and the states to which it can go back.
//!
//! It knows fields, checkpoints and what a step changes; it announces nothing. A step is checked whole before anything
//! is touched.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::bindings::exports::runner::progress::workbook::{Entry, Status, Step};
use crate::bindings::runner::progress::types::{
    Error, ErrorKind, FieldChange, Phase, ProgressUpdate, Scope, Value,
};

/// Stands between section and key, and between the parts of a scope: no name may contain it.
const SEPARATOR: char = '\u{1f}';
/// The most checkpoints that a scope keeps.
const MAX_CHECKPOINTS: usize = 64;
/// The schema under which values are written.
const SCHEMA_VERSION: u32 = 1;

/// A stored field; one that was cleared stays, without a value, until it has been flushed.
struct Cell {
    value: Option<Value>,
    dirty: bool,
}

/// What a checkpoint brings back.
#[derive(Clone)]
struct Snapshot {
    phase: Phase,
    progress: f64,
    failure: Option<ErrorKind>,
    fields: BTreeMap<String, Value>,
}

/// One piece of work.
struct Work {
    phase: Phase,
    progress: f64,
    revision: u64,
    timestamp: u64,
    failure: Option<ErrorKind>,
    cells: BTreeMap<String, Cell>,
    checkpoints: Vec<(String, Snapshot)>,
}

/// All work that has been heard of, by scope.
#[derive(Default)]
pub struct Workbook {
    works: BTreeMap<String, Work>,
}

/// A step that was checked: what it will announce, and what will be stored.
pub struct Prepared {
    key: String,
    pub update: ProgressUpdate,
    /// Where the step is a rollback: how many checkpoints stay.
    keep: Option<usize>,
}

/// An error of a kind, with words for people.
pub fn error(kind: ErrorKind, message: impl Into<String>) -> Error {
    Error {
        kind,
        message: message.into(),
    }
}

/// Refuses a scope without user or task, or with the separator in a name.
pub fn check_scope(scope: &Scope) -> Result<(), Error> {
    check_name("user", &scope.user)?;
    check_name("task", &scope.task)?;
    match &scope.tenant {
        Some(tenant) => check_name("tenant", tenant),
        None => Ok(()),
    }
}

/// Refuses a progress that is not from 0 to 1.
pub fn check_progress(progress: f64) -> Result<(), Error> {
    if (0.0..=1.0).contains(&progress) {
        return Ok(());
    }
    Err(error(
        ErrorKind::InvalidArgument,
        "progress is not from 0 to 1",
    ))
}

/// Refuses the name of a section or field that is empty or contains the separator, and NaN.
pub fn check_change(section: &str, key: &str, value: Option<&Value>) -> Result<(), Error> {
    check_name("section", section)?;
    check_name("field", key)?;
    match value {
        Some(Value::Real(number)) if number.is_nan() => Err(error(
            ErrorKind::InvalidArgument,
            format!("{section}.{key}: NaN is not a value"),
        )),
        _ => Ok(()),
    }
}

fn check_name(what: &str, name: &str) -> Result<(), Error> {
    let fault = if name.is_empty() {
        "is empty"
    } else if name.contains(SEPARATOR) {
        "contains U+001F"
    } else {
        return Ok(());
    };
    Err(error(
        ErrorKind::InvalidArgument,
        format!("the {what} {fault}"),
    ))
}

/// The key of a field: ordered, all fields of a section stand together.
pub fn field_key(section: &str, key: &str) -> String {
    let mut found = String::with_capacity(section.len() + key.len() + 1);
    found.push_str(section);
    found.push(SEPARATOR);
    found.push_str(key);
    found
}

fn scope_key(scope: &Scope) -> String {
    let tenant = scope.tenant.as_deref().unwrap_or("");
    format!("{tenant}{SEPARATOR}{}{SEPARATOR}{}", scope.user, scope.task)
}

fn names(key: &str) -> (String, String) {
    let (section, field) = key.split_once(SEPARATOR).unwrap_or((key, ""));
    (section.to_string(), field.to_string())
}

/// Changes by key as a list, ordered by section and key.
fn listed(changes: BTreeMap<String, Option<Value>>) -> Vec<FieldChange> {
    let mut found = Vec::with_capacity(changes.len());
    for (key, value) in changes {
        found.push(change(&key, value));
    }
    found
}

fn change(key: &str, value: Option<Value>) -> FieldChange {
    let (section, key) = names(key);
    FieldChange {
        section,
        key,
        value,
    }
}

impl Work {
    fn new() -> Self {
        Self {
            phase: Phase::Initiating,
            progress: 0.0,
            revision: 0,
            timestamp: 0,
            failure: None,
            cells: BTreeMap::new(),
            checkpoints: Vec::new(),
        }
    }

    fn value(&self, key: &str) -> Option<&Value> {
        self.cells.get(key).and_then(|cell| cell.value.as_ref())
    }

    fn snapshot(&self) -> Snapshot {
        let mut fields = BTreeMap::new();
        for (key, cell) in &self.cells {
            if let Some(value) = &cell.value {
                fields.insert(key.clone(), value.clone());
            }
        }
        Snapshot {
            phase: self.phase,
            progress: self.progress,
            failure: self.failure,
            fields,
        }
    }

    fn entry(key: &str, cell: &Cell) -> Option<Entry> {
        let (section, key) = names(key);
        Some(Entry {
            section,
            key,
            value: cell.value.clone()?,
            schema_version: SCHEMA_VERSION,
            dirty: cell.dirty,
        })
    }
}

impl Workbook {
    /// How many scopes there are.
    pub fn len(&self) -> usize {
        self.works.len()
    }

    /// Checks a step and works out what it announces; nothing is changed yet.
    pub fn prepare(&self, step: Step) -> Result<Prepared, Error> {
        check_scope(&step.scope)?;
        if let Some(progress) = step.progress {
            check_progress(progress)?;
        }
        for item in &step.changes {
            check_change(&item.section, &item.key, item.value.as_ref())?;
        }
        let key = scope_key(&step.scope);
        let work = self.works.get(&key);
        let mut last: BTreeMap<String, Option<Value>> = BTreeMap::new();
        for item in step.changes {
            last.insert(field_key(&item.section, &item.key), item.value);
        }
        last.retain(|key, value| work.and_then(|work| work.value(key)) != value.as_ref());
        let update = ProgressUpdate {
            id: 0,
            phase: step
                .phase
                .unwrap_or(work.map_or(Phase::Initiating, |work| work.phase)),
            progress: step
                .progress
                .unwrap_or(work.map_or(0.0, |work| work.progress)),
            scope: step.scope,
            timestamp: step.timestamp,
            changes: listed(last),
            failure: step.failure,
        };
        Ok(Prepared {
            key,
            update,
            keep: None,
        })
    }

    /// Works out what going back to a checkpoint announces; nothing is changed yet.
    pub fn prepare_rollback(
        &self,
        scope: Scope,
        checkpoint: &str,
        timestamp: u64,
    ) -> Result<Prepared, Error> {
        let work = self.work(&scope)?;
        let at = work
            .checkpoints
            .iter()
            .position(|(name, _)| name == checkpoint)
            .ok_or_else(|| {
                error(
                    ErrorKind::NotFound,
                    format!("there is no checkpoint {checkpoint}"),
                )
            })?;
        let snapshot = &work.checkpoints[at].1;
        let mut changes = BTreeMap::new();
        for (key, cell) in &work.cells {
            if cell.value.is_some() && !snapshot.fields.contains_key(key) {
                changes.insert(key.clone(), None);
            }
        }
        for (key, value) in &snapshot.fields {
            if work.value(key) != Some(value) {
                changes.insert(key.clone(), Some(value.clone()));
            }
        }
        Ok(Prepared {
            key: scope_key(&scope),
            update: ProgressUpdate {
                id: 0,
                scope,
                phase: snapshot.phase,
                progress: snapshot.progress,
                timestamp,
                changes: listed(changes),
                failure: snapshot.failure,
            },
            keep: Some(at + 1),
        })
    }

    /// Stores what was prepared and has been announced as update `id`.
    pub fn apply(&mut self, prepared: &Prepared, id: u64) {
        let update = &prepared.update;
        let work = self
            .works
            .entry(prepared.key.clone())
            .or_insert_with(Work::new);
        work.phase = update.phase;
        work.progress = update.progress;
        work.revision = id;
        work.timestamp = update.timestamp;
        work.failure = update.failure;
        for item in &update.changes {
            let cell = Cell {
                value: item.value.clone(),
                dirty: true,
            };
            work.cells.insert(field_key(&item.section, &item.key), cell);
        }
        if let Some(keep) = prepared.keep {
            work.checkpoints.truncate(keep);
        }
    }

    /// Where the work of a scope stands.
    pub fn status(&self, scope: &Scope) -> Result<Status, Error> {
        let work = self.work(scope)?;
        Ok(Status {
            phase: work.phase,
            progress: work.progress,
            revision: work.revision,
            timestamp: work.timestamp,
            entries: work
                .cells
                .iter()
                .filter_map(|(key, cell)| Work::entry(key, cell))
                .collect(),
            checkpoints: work
                .checkpoints
                .iter()
                .map(|(name, _)| name.clone())
                .collect(),
            failure: work.failure,
        })
    }

    /// The fields of a section: a scan over the keys that begin with it.
    pub fn section(&self, scope: &Scope, section: &str) -> Result<Vec<Entry>, Error> {
        let prefix = field_key(section, "");
        Ok(self
            .work(scope)?
            .cells
            .range(prefix.clone()..)
            .take_while(|(key, _)| key.starts_with(&prefix))
            .filter_map(|(key, cell)| Work::entry(key, cell))
            .collect())
    }

    /// Takes up to `max` changed fields and marks them clean; those that were cleared are forgotten.
    pub fn flush(&mut self, scope: &Scope, max: u32) -> Result<Vec<FieldChange>, Error> {
        let work = self.work_mut(scope)?;
        let mut found = Vec::new();
        let mut cleared = Vec::new();
        let dirty = work.cells.iter_mut().filter(|(_, cell)| cell.dirty);
        for (key, cell) in dirty.take(max as usize) {
            cell.dirty = false;
            found.push(change(key, cell.value.clone()));
            if cell.value.is_none() {
                cleared.push(key.clone());
            }
        }
        for key in cleared {
            work.cells.remove(&key);
        }
        Ok(found)
    }

    /// Remembers the present state under a name.
    pub fn checkpoint(&mut self, scope: &Scope, name: String) -> Result<(), Error> {
        let work = self.work_mut(scope)?;
        let snapshot = work.snapshot();
        work.checkpoints.retain(|(known, _)| *known != name);
        if work.checkpoints.len() == MAX_CHECKPOINTS {
            return Err(error(
                ErrorKind::Exhausted,
                format!("there are {MAX_CHECKPOINTS} checkpoints already"),
            ));
        }
        work.checkpoints.push((name, snapshot));
        Ok(())
    }

    fn work(&self, scope: &Scope) -> Result<&Work, Error> {
        self.works
            .get(&scope_key(scope))
            .ok_or_else(|| unknown(scope))
    }

    fn work_mut(&mut self, scope: &Scope) -> Result<&mut Work, Error> {
        self.works
            .get_mut(&scope_key(scope))
            .ok_or_else(|| unknown(scope))
    }
}

fn unknown(scope: &Scope) -> Error {
    error(
        ErrorKind::NotFound,
        format!("no work {} of {} is known", scope.task, scope.user),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn scope() -> Scope {
        Scope {
            user: "ada".into(),
            task: "t".into(),
            tenant: None,
        }
    }

    fn step(changes: Vec<FieldChange>) -> Step {
        Step {
            scope: scope(),
            phase: None,
            progress: None,
            timestamp: 1,
            changes,
            failure: None,
        }
    }

    fn set(section: &str, key: &str, value: i64) -> FieldChange {
        FieldChange {
            section: section.into(),
            key: key.into(),
            value: Some(Value::Integer(value)),
        }
    }

    fn clear(section: &str, key: &str) -> FieldChange {
        FieldChange {
            section: section.into(),
            key: key.into(),
            value: None,
        }
    }

    fn apply(book: &mut Workbook, id: u64, changes: Vec<FieldChange>) -> Vec<FieldChange> {
        let prepared = book.prepare(step(changes)).unwrap();
        book.apply(&prepared, id);
        prepared.update.changes
    }

    fn roll_back(book: &mut Workbook, id: u64, name: &str) -> Vec<FieldChange> {
        let prepared = book.prepare_rollback(scope(), name, 9).unwrap();
        book.apply(&prepared, id);
        prepared.update.changes
    }

    #[test]
    fn of_several_changes_to_a_field_the_last_counts() {
        let mut book = Workbook::default();
        let changes = apply(&mut book, 1, vec![set("s", "k", 1), set("s", "k", 2)]);
        assert_eq!(changes, vec![set("s", "k", 2)]);
    }

    #[test]
    fn what_stays_the_same_is_not_announced() {
        let mut book = Workbook::default();
        apply(&mut book, 1, vec![set("s", "k", 1)]);
        let changes = apply(
            &mut book,
            2,
            vec![set("s", "k", 1), clear("s", "other"), set("s", "n", 3)],
        );
        assert_eq!(changes, vec![set("s", "n", 3)]);
    }

    #[test]
    fn a_section_is_not_its_neighbour_with_a_longer_name() {
        let mut book = Workbook::default();
        apply(&mut book, 1, vec![set("a", "x", 1), set("ab", "y", 2)]);
        let keys = |section: &str| -> Vec<String> {
            let entries = book.section(&scope(), section).unwrap();
            entries.into_iter().map(|entry| entry.key).collect()
        };
        assert_eq!(keys("a"), ["x"]);
        assert_eq!(keys("ab"), ["y"]);
        assert!(keys("b").is_empty());
    }

    #[test]
    fn a_step_that_is_refused_changes_nothing() {
        let mut book = Workbook::default();
        apply(&mut book, 1, vec![set("s", "k", 1)]);
        for wrong in [
            set("", "k", 1),
            set("s", "", 1),
            set("s\u{1f}", "k", 1),
            FieldChange {
                value: Some(Value::Real(f64::NAN)),
                ..set("s", "k", 1)
            },
        ] {
            let refused = book.prepare(step(vec![set("s", "k", 5), wrong]));
            assert_eq!(refused.err().unwrap().kind, ErrorKind::InvalidArgument);
        }
        assert_eq!(
            book.section(&scope(), "s").unwrap()[0].value,
            Value::Integer(1)
        );
    }

    #[test]
    fn progress_is_from_0_to_1() {
        let book = Workbook::default();
        for (progress, good) in [
            (0.0, true),
            (1.0, true),
            (-0.1, false),
            (1.1, false),
            (f64::NAN, false),
        ] {
            let step = Step {
                progress: Some(progress),
                ..step(vec![])
            };
            assert_eq!(book.prepare(step).is_ok(), good, "{progress}");
        }
    }

    #[test]
    fn a_flush_takes_dirty_fields_once_and_tells_of_cleared_ones() {
        let mut book = Workbook::default();
        apply(&mut book, 1, vec![set("s", "a", 1), set("s", "b", 2)]);
        assert_eq!(book.flush(&scope(), 1).unwrap(), vec![set("s", "a", 1)]);
        assert_eq!(book.flush(&scope(), 9).unwrap(), vec![set("s", "b", 2)]);
        assert!(book.flush(&scope(), 9).unwrap().is_empty());
        apply(&mut book, 2, vec![clear("s", "a")]);
        assert_eq!(book.flush(&scope(), 9).unwrap(), vec![clear("s", "a")]);
        assert!(book.flush(&scope(), 9).unwrap().is_empty());
    }

    #[test]
    fn a_rollback_announces_the_difference_and_forgets_later_checkpoints() {
        let mut book = Workbook::default();
        apply(&mut book, 1, vec![set("s", "a", 1), set("s", "b", 2)]);
        book.checkpoint(&scope(), "one".into()).unwrap();
        apply(
            &mut book,
            2,
            vec![clear("s", "a"), set("s", "b", 3), set("s", "c", 4)],
        );
        book.checkpoint(&scope(), "two".into()).unwrap();
        let changes = roll_back(&mut book, 3, "one");
        assert_eq!(
            changes,
            vec![set("s", "a", 1), set("s", "b", 2), clear("s", "c")]
        );
        assert_eq!(book.status(&scope()).unwrap().checkpoints, ["one"]);
        assert!(roll_back(&mut book, 4, "one").is_empty());
    }

    #[test]
    fn a_checkpoint_of_the_same_name_moves_and_there_are_at_most_64() {
        let mut book = Workbook::default();
        apply(&mut book, 1, vec![]);
        for number in 0..MAX_CHECKPOINTS {
            book.checkpoint(&scope(), format!("{number}")).unwrap();
        }
        let refused = book.checkpoint(&scope(), "more".into());
        assert_eq!(refused.err().unwrap().kind, ErrorKind::Exhausted);
        book.checkpoint(&scope(), "0".into()).unwrap();
        let names = book.status(&scope()).unwrap().checkpoints;
        assert_eq!(names.len(), MAX_CHECKPOINTS);
        assert_eq!(names.last().unwrap(), "0");
    }

    #[test]
    fn scopes_do_not_touch_each_other() {
        let mut book = Workbook::default();
        apply(&mut book, 1, vec![set("s", "k", 1)]);
        let other = Scope {
            tenant: Some("acme".into()),
            ..scope()
        };
        assert_eq!(book.status(&other).err().unwrap().kind, ErrorKind::NotFound);
        assert_eq!(book.len(), 1);
    }
}
