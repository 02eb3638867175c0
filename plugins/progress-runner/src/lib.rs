//! World `progress-runner`: a workbook, an event bus and telemetry, for one Runner.
//!
//! A component instance is entered by one call at a time, so the whole state lies in one cell; this file is where the
//! generated bindings meet it.

#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;
// For its allocator.
extern crate guest_kit as _;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;

mod bindings;
mod bus;
mod telemetry;
mod workbook;

use bindings::exports::runner::progress::{
    events, telemetry as telemetry_exports, workbook as exports,
};
use bindings::runner::progress::types::{Error, FieldChange, ProgressUpdate, Scope, Value};
use bus::Bus;
use telemetry::Telemetry;
use workbook::{Prepared, Workbook};

struct Component;

bindings::export!(Component with_types_in bindings);

#[derive(Default)]
struct State {
    workbook: Workbook,
    bus: Bus,
    telemetry: Telemetry,
}

struct Instance(RefCell<Option<State>>);

// SAFETY: a component instance has one thread.
unsafe impl Sync for Instance {}

static INSTANCE: Instance = Instance(RefCell::new(None));

fn with<T>(work: impl FnOnce(&mut State) -> T) -> T {
    work(INSTANCE.0.borrow_mut().get_or_insert_with(State::default))
}

impl State {
    /// Announces what was prepared and stores it; if it can't be announced nothing is stored.
    fn carry_out(&mut self, prepared: &Prepared) -> Result<u64, Error> {
        let id = self.bus.publish(&prepared.update)?;
        self.workbook.apply(prepared, id);
        Ok(id)
    }

    fn update(&mut self, step: exports::Step) -> Result<u64, Error> {
        let prepared = self.workbook.prepare(step)?;
        self.carry_out(&prepared)
    }
}

impl exports::Guest for Component {
    type Edit = Edit;

    fn get_status(scope: Scope) -> Result<exports::Status, Error> {
        with(|state| state.workbook.status(&scope))
    }

    fn update(step: exports::Step) -> Result<u64, Error> {
        with(|state| state.update(step))
    }

    fn get_section(scope: Scope, section: String) -> Result<Vec<exports::Entry>, Error> {
        with(|state| state.workbook.section(&scope, &section))
    }

    fn flush(scope: Scope, max: u32) -> Result<Vec<FieldChange>, Error> {
        with(|state| state.workbook.flush(&scope, max))
    }

    fn checkpoint(scope: Scope, name: String) -> Result<(), Error> {
        with(|state| state.workbook.checkpoint(&scope, name))
    }

    fn rollback(scope: Scope, checkpoint: String, timestamp: u64) -> Result<u64, Error> {
        with(|state| {
            let prepared = state
                .workbook
                .prepare_rollback(scope, &checkpoint, timestamp)?;
            state.carry_out(&prepared)
        })
    }
}

/// Changes that wait to be applied at once.
struct Edit {
    scope: Scope,
    changes: RefCell<BTreeMap<String, FieldChange>>,
}

impl Edit {
    fn put(&self, section: String, key: String, value: Option<Value>) -> Result<(), Error> {
        workbook::check_change(&section, &key, value.as_ref())?;
        self.changes.borrow_mut().insert(
            workbook::field_key(&section, &key),
            FieldChange {
                section,
                key,
                value,
            },
        );
        Ok(())
    }
}

impl exports::GuestEdit for Edit {
    fn new(scope: Scope) -> Self {
        Self {
            scope,
            changes: RefCell::default(),
        }
    }

    fn set(&self, section: String, key: String, value: Value) -> Result<(), Error> {
        self.put(section, key, Some(value))
    }

    fn clear(&self, section: String, key: String) -> Result<(), Error> {
        self.put(section, key, None)
    }

    fn pending(&self) -> u32 {
        self.changes.borrow().len() as u32
    }

    fn commit(edit: exports::Edit, timestamp: u64) -> Result<u64, Error> {
        let edit = edit.into_inner::<Edit>();
        let changes = edit.changes.into_inner().into_values().collect();
        with(|state| {
            state.update(exports::Step {
                scope: edit.scope,
                phase: None,
                progress: None,
                timestamp,
                changes,
                failure: None,
            })
        })
    }
}

impl events::Guest for Component {
    type Subscription = Subscription;

    fn publish(update: ProgressUpdate) -> Result<u64, Error> {
        workbook::check_scope(&update.scope)?;
        workbook::check_progress(update.progress)?;
        with(|state| state.bus.publish(&update))
    }

    fn wakeful(max: u32) -> Vec<u64> {
        with(|state| state.bus.wakeful(max))
    }
}

/// The guest's end of a subscription: its queue lies in the bus.
struct Subscription(u64);

impl Drop for Subscription {
    fn drop(&mut self) {
        with(|state| state.bus.close(self.0));
    }
}

impl events::GuestSubscription for Subscription {
    fn open(options: events::SubscriptionOptions) -> Result<events::Subscription, Error> {
        let token = with(|state| state.bus.open(options))?;
        Ok(events::Subscription::new(Subscription(token)))
    }

    fn token(&self) -> u64 {
        self.0
    }

    fn recv(&self, max: u32) -> events::Batch {
        with(|state| state.bus.recv(self.0, max))
    }

    fn ready(&self) -> u32 {
        with(|state| state.bus.ready(self.0))
    }

    fn ack(&self, up_to: u64) -> Result<u32, Error> {
        with(|state| state.bus.ack(self.0, up_to))
    }

    fn redeliver(&self) -> u32 {
        with(|state| state.bus.redeliver(self.0))
    }
}

impl telemetry_exports::Guest for Component {
    fn heartbeat(timestamp: u64, active_flags: Vec<String>) -> telemetry_exports::Pulse {
        with(|state| {
            state
                .telemetry
                .heartbeat(timestamp, active_flags, &state.workbook, &state.bus)
        })
    }

    fn flush_metrics() -> Vec<telemetry_exports::Metric> {
        with(|state| state.telemetry.flush(&state.workbook, &mut state.bus))
    }
}
