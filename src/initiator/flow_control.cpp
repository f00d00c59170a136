#include "initiator/flow_control.h"

#include <algorithm>

namespace aoe::initiator {
namespace {

// Slow start ends when answers take that long, and twice as long as the quickest: there is a queue.
constexpr Duration kLongQueue = Duration::milliseconds(20);

// A device that is quiet may send so many frames above its window, unless that is very small: then
// the shelf is crowded, and the other hosts are served.
constexpr std::uint32_t kExtraMax = 4;
constexpr double kExtraFrom = 0.5;

// Windows up to which losses that go on and on, with answers in time, are the network's doing where
// many writes are committed together: four such hosts fit the usual 64 buffers.
constexpr std::uint32_t kSmallTogether = 16;

}  // namespace

void FlowControl::close(Device& device) {
  DeviceFlow& flow = device.flow();
  if (flow.shelf != kNoIndex) {
    shelves_.leave(flow.shelf);
    flow.shelf = kNoIndex;
  }
}

FlowControl::Permission FlowControl::ask(Instant now, Device& device, const Wish& wish) {
  DeviceFlow& flow = device.flow();
  if (flow.shelf == kNoIndex) {
    flow.shelf = shelves_.enter(device.address().shelf);
  }
  const ShelfState& shelf = shelves_.at(flow.shelf);
  if (flow.congestion_seen != shelf.congested) {
    // Of another slot, but in the same buffers.
    flow.congestion_seen = shelf.congested;
    flow.delay.on_congestion(now);
  }
  const Instant pause_ends = std::max(flow.delay.pause_ends(), shelf.pause_ends);
  if (pause_ends > now) {
    return {.answer = Answer::pause, .until = pause_ends};
  }
  // What is quiet may be lost, and must not keep the rest back.
  const std::uint32_t extra =
      flow.delay.size() < kExtraFrom ? 0 : std::min(flow.flight.quiet_spells(), kExtraMax);
  if (flow.in_flight >= flow.delay.frames() + extra ||
      flow.in_flight >= device.paths().target_buffers()) {
    return {.answer = Answer::device_full};
  }
  if (!shelf.window.has_room(shelf.in_flight)) {
    return {.answer = Answer::shelf_full};
  }
  const std::optional<std::uint32_t> path = device.paths().choose(
      {.payload_sectors = wish.sectors, .avoid = wish.avoid, .policy = device.settings().policy});
  if (!path) {
    return {.answer = Answer::no_path};
  }
  return {.answer = Answer::granted, .path = *path};
}

void FlowControl::on_sent(Device& device, Path& path) {
  DeviceFlow& flow = device.flow();
  ShelfState& shelf = shelves_.at(flow.shelf);
  ++flow.in_flight;
  ++shelf.in_flight;
  ++path.in_flight;
  if (flow.delay.size() < 1) {
    ++context_.stats.paced_sends;
  }
  flow.delay.on_sent(flow.in_flight);
  shelf.window.on_sent(shelf.in_flight);
  path.window.on_sent(path.in_flight);
}

void FlowControl::on_left(Device& device, Path& path) {
  DeviceFlow& flow = device.flow();
  --flow.in_flight;
  --shelves_.at(flow.shelf).in_flight;
  --path.in_flight;
}

DelayWindow::Surroundings FlowControl::surroundings(Instant now, const Device& device,
                                                    const ShelfState& shelf, const Path& path,
                                                    FrameOp op) {
  const DelayBaseline& usual = device.flow().baseline(op);
  // Our own targets put all writes that wait on stable storage with one flush. Others that write
  // through do it one by one.
  const bool commits_together = changes_data(op) && path.peer == Peer::session &&
                                device.identity() && !device.identity()->write_cache_enabled;
  return {.network = path.network.min_rtt(),
          .least = usual.least_mean(),
          .quickest = usual.quickest(),
          .scale = commits_together ? 1 : shelf.evidence.scale(now),
          .limit = device.paths().target_buffers(),
          .commits_together = commits_together};
}

void FlowControl::on_answer(Instant now, Device& device, Path& path, FrameOp op,
                            std::optional<Duration> round_trip) {
  DeviceFlow& flow = device.flow();
  ShelfState& shelf = shelves_.at(flow.shelf);
  path.note_outcome(0);
  flow.note_outcome(0);
  if (round_trip) {
    path.rtt.sample(*round_trip);
    path.round_trips.add(*round_trip);
    flow.rtt.sample(*round_trip);
    flow.baseline(op).sample(now, *round_trip);
    flow.tail.sample(*round_trip);
  }
  flow.renew_tail_bound();
  path.window.on_answer(now);
  if (shelf.window.in_slow_start() && flow.rtt.srtt() > kLongQueue &&
      flow.rtt.srtt() > flow.rtt.min_rtt() * 2) {
    shelf.window.end_slow_start();
  }
  shelf.window.on_answer(now);
  shelf.pause_ends = {};
  if (shelf.window.size() < 1) {
    const double factor = 1 / shelf.window.size() - 1;
    shelf.pause_ends = now + Duration::nanoseconds(static_cast<std::int64_t>(
                                 factor * static_cast<double>(flow.rtt.srtt().ns)));
  }
  flow.delay.on_answer(now, round_trip, surroundings(now, device, shelf, path, op));
}

void FlowControl::on_lost(Instant now, Device& device, Path& path, FrameOp op, Instant sent) {
  DeviceFlow& flow = device.flow();
  ShelfState& shelf = shelves_.at(flow.shelf);
  path.note_outcome(1);
  flow.note_outcome(1);
  flow.renew_tail_bound();
  const DelayWindow::Surroundings around = surroundings(now, device, shelf, path, op);
  flow.delay.on_gone(now, around);
  const ShelfEvidence::Verdict verdict = shelf.evidence.judge(
      now, {.typical = flow.baseline(op).typical(),
            .aim = flow.delay.cautious_aim(around),
            // A single commit may be quick by luck.
            .quickest = around.commits_together ? around.least : around.quickest,
            .share = path.loss_share,
            .usual_share = path.usual_loss_share,
            .is_small = std::min(shelf.window.size(), path.window.size()) <=
                        (around.commits_together ? kSmallTogether
                                                 : std::uint32_t{LossWindow::kStartFrames})});
  if (verdict == ShelfEvidence::Verdict::chance) {
    ++context_.stats.chance_losses;
    return;
  }
  shelf.congested = now;
  flow.delay.on_congestion(now);
  const bool path_was_cut = path.window.on_loss(sent, now);
  if (shelf.window.on_loss(sent, now) || path_was_cut) {
    ++context_.stats.window_cuts;
  }
}

void FlowControl::on_false_alarm(Device& device, Path& path, Duration age) {
  DeviceFlow& flow = device.flow();
  ShelfState& shelf = shelves_.at(flow.shelf);
  flow.tail.sample(age);
  flow.renew_tail_bound();
  path.window.undo_cut();
  shelf.window.undo_cut();
  shelf.evidence.undo();
}

void FlowControl::on_silence(Instant now, Device& device) {
  for (std::uint32_t i = 0; i < device.paths().size(); ++i) {
    device.paths().at(i).window.on_silence(now);
  }
  shelves_.at(device.flow().shelf).window.on_silence(now);
}

}  // namespace aoe::initiator
