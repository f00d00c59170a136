// Exports with checksums at rest: scrubs, and what is told about rot.
#pragma once

#include "base/ids.h"
#include "control/message.h"
#include "storage/integrity_store.h"
#include "targetd/config.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace aoe::targetd {

// The loop's thread only.
class Scrubber {
 public:
  struct Parts {
    // Work of the export's store has begun: it has to be polled.
    std::function<void(DeviceAddress)> wake;
    std::function<void(const control::Json&)> publish;
  };

  explicit Scrubber(Parts parts) : parts_(std::move(parts)) {}

  // `store` stays where it is until remove().
  void add(const ExportConfig& config, storage::IntegrityStore& store);
  void remove(DeviceAddress address);
  void configure(const ExportConfig& config);

  struct Request {
    DeviceAddress address;
    bool is_stop = false;
    std::optional<std::uint64_t> bytes_per_second;  // instead of the configured rate; 0: no limit
  };

  // Begins, or goes on with another rate, or stops; the answer is the status.
  [[nodiscard]] Result<control::Json> scrub(const Request& request);

  // Of an export with checksums; null otherwise.
  [[nodiscard]] control::Json status(DeviceAddress address) const;

  // Looks what has changed; after every turn.
  void poll();

 private:
  struct Volume {
    ExportConfig config;
    storage::IntegrityStore* store = nullptr;
    std::uint64_t told_rotten = 0;
    unsigned told_tenths = 0;
    bool is_running = false;  // told so
    std::uint64_t ended_unix_seconds = 0;
    Instant next_look{};
  };

  void look(Volume& volume, Instant now);
  void tell(const Volume& volume, const char* type, const std::string& text,
            control::Json more = control::Json::object());
  [[nodiscard]] static control::Json status_of(const Volume& volume);

  Parts parts_;
  std::map<DeviceAddress, Volume> volumes_;
};

}  // namespace aoe::targetd
