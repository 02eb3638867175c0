//! Signs of life and figures, in the names of Prometheus.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use crate::bindings::exports::runner::progress::telemetry::{Metric, MetricKind, Pulse};
use crate::bus::Bus;
use crate::workbook::Workbook;

/// What is kept between heartbeats.
#[derive(Default)]
pub struct Telemetry {
    sequence: u64,
    last: Option<u64>,
    /// Heartbeats since the last flush.
    heartbeats: u64,
    flags: Vec<String>,
}

impl Telemetry {
    /// Takes a sign of life.
    pub fn heartbeat(
        &mut self,
        timestamp: u64,
        flags: Vec<String>,
        workbook: &Workbook,
        bus: &Bus,
    ) -> Pulse {
        self.sequence += 1;
        self.heartbeats += 1;
        self.flags = flags;
        Pulse {
            sequence: self.sequence,
            interval: self
                .last
                .replace(timestamp)
                .map(|last| timestamp.saturating_sub(last)),
            scopes: workbook.len() as u32,
            subscriptions: bus.subscriptions() as u32,
            queued: bus.queued() as u32,
            last_update: bus.last_id(),
        }
    }

    /// The figures since the last flush, each with a label for every flag that is on.
    pub fn flush(&mut self, workbook: &Workbook, bus: &mut Bus) -> Vec<Metric> {
        let counts = core::mem::take(&mut bus.counts);
        let heartbeats = core::mem::take(&mut self.heartbeats);
        let counter = MetricKind::Counter;
        let gauge = MetricKind::Gauge;
        let figures = vec![
            (
                "progress_updates_published_total",
                counter,
                counts.published,
            ),
            ("progress_updates_refused_total", counter, counts.refused),
            (
                "progress_updates_delivered_total",
                counter,
                counts.delivered,
            ),
            (
                "progress_updates_acknowledged_total",
                counter,
                counts.acknowledged,
            ),
            ("progress_updates_dropped_total", counter, counts.dropped),
            ("progress_heartbeats_total", counter, heartbeats),
            ("progress_scopes", gauge, workbook.len() as u64),
            ("progress_subscriptions", gauge, bus.subscriptions() as u64),
            ("progress_updates_queued", gauge, bus.queued() as u64),
        ];
        let labels: Vec<(String, String)> = self
            .flags
            .iter()
            .map(|flag| {
                (
                    "flag".to_string() + "_" + &label_name(flag),
                    "on".to_string(),
                )
            })
            .collect();
        figures
            .into_iter()
            .map(|(name, kind, value)| Metric {
                name: name.to_string(),
                kind,
                value: value as f64,
                labels: labels.clone(),
            })
            .collect()
    }
}

/// A flag's name as part of a label's: letters, digits and underscores.
fn label_name(flag: &str) -> String {
    flag.chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect()
}
