// The half of Daemon that gives an export another address.
#include "os/clock.h"
#include "targetd/daemon.h"
#include "targetd/export_opener.h"

#include <fmt/format.h>

#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace aoe::targetd {

Result<void> Daemon::check_move(const MoveRequest& request) const {
  const auto refuse = [&request](Errc code, std::string_view why) {
    return fail_with(
        code, 0,
        fmt::format("{}: move to {}: {}", to_string(request.from), to_string(request.to), why));
  };
  const auto id = export_ids_.find(request.from);
  const target::Export* subject =
      id == export_ids_.end() ? nullptr : shards_->of(request.from).core().find(id->second);
  if (subject == nullptr || find_config(request.from) == nullptr) {
    return fail_with(Errc::not_found, 0,
                     to_string(request.from) + ": no such export (see aoe target list)");
  }
  AOE_TRY(target::check_address(request.to));
  if (find_config(request.to) != nullptr || export_ids_.contains(request.to)) {
    return refuse(Errc::already_exists, "that address is in use here");
  }
  if (freezer_->is_layered(request.from)) {
    return refuse(Errc::busy, "it is frozen (thaw it first: its shadow belongs to its address)");
  }
  if (snapshots_->owner_of(request.from)) {
    return refuse(Errc::busy, "it is a snapshot (delete it, and create one at the other address)");
  }
  if (snapshots_->has_any(request.from)) {
    return refuse(Errc::busy, "it has snapshots (delete them first: they belong to its address)");
  }
  if (!find_config(request.from)->overlay.empty()) {
    return refuse(Errc::busy,
                  "it has overlays, which belong to its address (change it in the configuration)");
  }
  if (request.force == Force::yes) {
    return {};
  }
  if (subject->stats.in_flight > 0 || !subject->persistent.reservation.empty()) {
    return refuse(Errc::busy, subject->stats.in_flight > 0
                                  ? "requests are in flight (use --force to do it all the same)"
                                  : "it is reserved (use --force to do it all the same)");
  }
  AOE_TRY_ASSIGN(const auto present, states_->load(request.to, StateFile::state));
  if (present) {
    return refuse(Errc::already_exists,
                  "an export of that address has left its config string, masks and serial here "
                  "(use --force to replace them)");
  }
  return {};
}

void Daemon::move_export(const MoveRequest& request, control::Reply reply) {
  if (request.from == request.to && find_config(request.from) != nullptr) {
    reply.send(control::Json{{"address", to_string(request.to)}});
    return;
  }
  if (auto possible = check_move(request); !possible) {
    reply.send(fail(std::move(possible).error()));
    return;
  }
  const ExportConfig before = *find_config(request.from);
  ExportConfig wanted = before;
  wanted.address = request.to;
  if (auto removed = shards_->of(request.from)
                         .core()
                         .remove_export(os::monotonic_now(), export_ids_.at(request.from));
      !removed) {
    reply.send(fail(std::move(removed).error()));
    return;
  }
  // The rest follows when the last request has been answered: the export goes, carry_over() takes
  // what it remembers along, and finish_move() opens it again.
  moves_.insert_or_assign(request.from, Move{wanted, before, std::move(reply)});
}

void Daemon::carry_over(DeviceAddress from) {
  const DeviceAddress to = moves_.at(from).wanted.address;
  auto outcome = std::make_shared<Result<void>>();
  worker_->post(
      [this, from, to, outcome] {
        *outcome = [&]() -> Result<void> {
          AOE_TRY_ASSIGN(const auto bytes, states_->load(from, StateFile::state));
          if (!bytes) {
            return {};
          }
          AOE_TRY_ASSIGN(const target::PersistentState remembered,
                         target::decode_state(from, *bytes));
          // In this order: what is interrupted leaves one of them, or both with one content.
          AOE_TRY(states_->save(to, StateFile::state, target::encode_state(to, remembered)));
          return states_->remove(from, StateFile::state);
        }();
      },
      [this, from, outcome] { finish_move(from, *outcome); });
}

void Daemon::finish_move(DeviceAddress from, const Result<void>& carried) {
  Move move = std::move(moves_.at(from));
  moves_.erase(from);
  const auto begin = [this, from](const ExportConfig& config) {
    auto started = start_export(config);
    if (started) {
      const auto place =
          std::find_if(config_.exports.begin(), config_.exports.end(),
                       [from](const ExportConfig& item) { return item.address == from; });
      if (place != config_.exports.end()) {
        *place = config;
      }
    }
    return started;
  };
  Result<void> done = carried;
  if (done) {
    done = begin(move.wanted);
  }
  if (done) {
    spdlog::info("{}: is {} now", to_string(from), to_string(move.wanted.address));
    move.reply.send(control::Json{{"address", to_string(move.wanted.address)}});
    return;
  }
  spdlog::error("{}: not moved: {}", to_string(from), done.error().message);
  if (auto again = begin(move.before); !again) {
    spdlog::error("{}", again.error().message);
  }
  move.reply.send(fail(done.error()));
}

}  // namespace aoe::targetd
