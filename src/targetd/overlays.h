// The layers of initiators that boot from one image: files, commands, and what is told about them.
#pragma once

#include "base/ids.h"
#include "base/mac_address.h"
#include "control/message.h"
#include "control/server.h"
#include "storage/layer_file.h"
#include "storage/overlay_store.h"
#include "targetd/config.h"
#include "targetd/volume_work.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aoe::targetd {

// The loop's thread only. Every export with `overlay` is registered with add() when it starts and
// leaves with remove() before its store goes.
//
// A layer is a file DIR/e7.1-525400123456.overlay. Which there are is all that a restart has to
// know; each is opened when its initiator comes.
class Overlays {
 public:
  struct Parts {
    EngineOf engine_of;
    // Runs the first function where it may block and then the second on this thread.
    RunBlocking run_blocking;
    // Work of the export's store has begun: it has to be polled.
    std::function<void(DeviceAddress)> wake;
    std::function<void(const control::Json&)> publish;
  };

  explicit Overlays(Parts parts) : parts_(std::move(parts)) {}

  // Looks which layers there are; a commit that was interrupted goes on. `store` stays where it is
  // until remove(). Blocks: for the start of an export.
  [[nodiscard]] Result<void> add(const ExportConfig& config, storage::OverlayStore& store,
                                 const std::string& base_name);
  void remove(DeviceAddress address);
  // Settings that count from now on.
  void configure(const ExportConfig& config);

  // Does what stores want; after every turn.
  void poll();

  // Of an export with overlays; null otherwise.
  [[nodiscard]] control::Json status(DeviceAddress address) const;
  void list(DeviceAddress address, control::Reply reply);

  enum class Ending : std::uint8_t {
    reset,  // a new, empty layer in its place
    drop,   // none
  };
  enum class Force : bool { no, yes };

  struct EndRequest {
    DeviceAddress address;
    std::optional<MacAddress> initiator;  // none: all of them
    Ending ending = Ending::drop;
    Force force = Force::no;  // although it is in use
  };

  // Answers when the content is gone.
  void end(const EndRequest& request, control::Reply reply);

  struct CommitRequest {
    DeviceAddress address;
    MacAddress initiator;
    Force force = Force::no;  // although others lose their layers, and while it is online
    bool is_online = false;
  };

  // Answers when the layer is in the base.
  void commit(const CommitRequest& request, control::Reply reply);

 private:
  struct Layer {
    std::string path;
    bool is_in_job = false;   // something is done to its file
    bool was_full = false;    // told
    bool was_failed = false;  // told
  };

  // A command that ends when all its layers have.
  struct Command {
    control::Reply reply;
    std::size_t left = 0;
    std::optional<Error> error;
    std::uint64_t ended = 0;
  };

  struct Leaving {
    MacAddress initiator;
    Ending ending = Ending::drop;
    std::shared_ptr<Command> command;
  };

  enum class CommitStep : std::uint8_t { quieting, closing, loading, merging, removing };

  struct Commit {
    MacAddress initiator;
    CommitStep step = CommitStep::quieting;
    std::vector<control::Reply> replies{};
    std::uint64_t sectors = 0;
    StoreErrc told_error = StoreErrc::ok;
  };

  struct Volume {
    std::uint64_t serial = 0;  // tells this registration from a later one of the same address
    ExportConfig config;
    storage::OverlayStore* store = nullptr;
    std::string base_name;
    storage::BaseIdentity base;
    std::map<MacAddress, Layer> layers;
    std::vector<Leaving> leaving;
    std::optional<Commit> commit;
    bool was_refused = false;  // told that there are too many
    Instant next_look;
  };

  using Next = std::function<void(Volume&, const Result<void>&)>;

  // Runs `job` where it may block, then `next` unless the export has gone.
  void run(const Volume& volume, std::function<Result<void>()> job, Next next);
  // What is said of an export that has no overlays.
  [[nodiscard]] static Error none_at(DeviceAddress address);
  [[nodiscard]] static std::string path_of(const ExportConfig& config, const MacAddress& initiator);
  [[nodiscard]] Result<void> scan(Volume& volume);
  void make(Volume& volume, const MacAddress& initiator);
  void open(Volume& volume, const MacAddress& initiator);
  void put(Volume& volume, const MacAddress& initiator, storage::ReplayedLayer content);
  void put_new(Volume& volume, const MacAddress& initiator, const storage::LayerHeader& header);
  void refuse(Volume& volume, const MacAddress& initiator, const Error& error);
  [[nodiscard]] static storage::LayerHeader new_header(const Volume& volume,
                                                       const MacAddress& initiator);
  [[nodiscard]] Result<void> check_unused(const Volume& volume, const EndRequest& request) const;
  void end_one(Volume& volume, const Leaving& leaving);
  void ended(Volume& volume, const Leaving& leaving, const Result<void>& result);
  void poll_leaving(Volume& volume);
  void poll_commit(Volume& volume);
  void load_for_commit(Volume& volume);
  [[nodiscard]] Result<void> start_merge(Volume& volume, storage::ReplayedLayer content);
  void finish_commit(Volume& volume);
  void give_up_commit(Volume& volume, const Error& error);
  void look(Volume& volume);
  void tell(const Volume& volume, const char* type, const std::string& text,
            control::Json more = control::Json::object());

  Parts parts_;
  std::map<DeviceAddress, Volume> volumes_;
  std::uint64_t next_serial_ = 1;
};

}  // namespace aoe::targetd
