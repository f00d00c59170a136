// A machine with a base disk and a layer disk, which a layered store is put together on.
#pragma once

#include "storage/group_commit_store.h"
#include "storage/layered_store.h"
#include "support/sim_disk.h"

#include <cstdint>
#include <memory>
#include <utility>

namespace aoe::testing {

inline storage::LayerHeader new_layer_header(std::uint64_t sectors) {
  storage::LayerHeader header;
  header.state = storage::LayerState::preparing;
  header.id = {1, 2};
  header.base = {.sectors = sectors, .name_hash = 3, .version = 0};
  header.generation = 1;
  return header;
}

class LayerMachine {
 public:
  explicit LayerMachine(std::uint64_t sectors)
      : base_platter(sectors),
        layer_platter(storage::layer_layout(sectors).file_bytes / kSectorBytes),
        sectors_(sectors) {}

  // As make_layer does, to the end.
  void make_layer() {
    const auto bytes = storage::encode_header(new_layer_header(sectors_));
    copy_bytes(layer_platter.content[storage::header_offset_bytes(1) / kSectorBytes], bytes);
  }

  // The base, with nothing over it.
  void start(const storage::LayeredOptions& options) {
    auto base = std::make_unique<SimDisk>(base_platter, power);
    base_disk = base.get();
    store = std::make_unique<storage::LayeredStore>(
        std::make_unique<storage::GroupCommitStore>(std::move(base)), options);
  }

  [[nodiscard]] Result<storage::ReplayedLayer> replay() const {
    return storage::replay_layer(
        "layer",
        [this](std::uint64_t offset, ByteSpan to) -> Result<void> {
          for (std::size_t i = 0; i < to.size(); i += kSectorBytes) {
            copy_bytes(to.subspan(i, kSectorBytes),
                       layer_platter.content[(offset + i) / kSectorBytes]);
          }
          return {};
        },
        layer_platter.content.size() * kSectorBytes);
  }

  void attach(storage::ReplayedLayer content) {
    auto layer = std::make_unique<SimDisk>(layer_platter, power);
    layer_disk = layer.get();
    store->attach({.file = std::move(layer), .content = std::move(content)});
  }

  // What a power cut leaves; the store is gone.
  void lose_power(Prng& random) {
    base_disk->lose_cache(random);
    if (layer_disk != nullptr) {
      layer_disk->lose_cache(random);
    }
    store.reset();
    base_disk = nullptr;
    layer_disk = nullptr;
    power = Power{.random = Prng(random.next())};
  }

  Power power;
  Platter base_platter;
  Platter layer_platter;
  SimDisk* base_disk = nullptr;
  SimDisk* layer_disk = nullptr;
  std::unique_ptr<storage::LayeredStore> store;

 private:
  std::uint64_t sectors_;
};

}  // namespace aoe::testing
