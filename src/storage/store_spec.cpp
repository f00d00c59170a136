#include "storage/store_spec.h"

#include "base/ids.h"
#include "base/parse.h"
#include "storage/cache_store.h"
#include "storage/file_store.h"
#include "storage/group_commit_store.h"
#include "storage/memory_store.h"
#include "storage/null_store.h"
#include "storage/readonly_store.h"

#include <fmt/format.h>

#include <array>

namespace aoe::storage {

namespace {

using OpenFunction = Result<OpenedStore> (*)(const StoreSpec& spec, const StoreOptions& options,
                                             IoEngine& engine);
using CheckFunction = Result<void> (*)(const StoreSpec& spec);

auto refused(const StoreSpec& spec, const std::string& reason) {
  return fail_with(Errc::invalid_argument, 0,
                   fmt::format("store '{}': {}", to_string(spec), reason));
}

// ---- file

Result<void> check_path(const StoreSpec& spec) {
  if (spec.argument.empty()) {
    return refused(spec, "expected a path");
  }
  if (spec.argument.find('\0') != std::string::npos) {
    return refused(spec, "a path holds no zero byte");
  }
  return {};
}

Result<OpenedStore> open_file(const StoreSpec& spec, const StoreOptions& options,
                              IoEngine& engine) {
  StoreOptions wanted = options;
  if (options.cache_bytes != 0 && options.direct == DirectIo::automatic) {
    wanted.direct = DirectIo::on;
  }
  auto tried = FileStore::open(spec.argument, wanted, engine);
  if (!tried && tried.error().code == Errc::unsupported && wanted.direct != options.direct) {
    tried = FileStore::open(spec.argument, options, engine);
  }
  AOE_TRY_ASSIGN(auto store, std::move(tried));
  OpenedStore opened;
  if (store->odd_tail_bytes() != 0) {
    opened.warnings.push_back(
        fmt::format("{}: the last {} bytes are not served: they do not fill a sector of {}",
                    spec.argument, store->odd_tail_bytes(), kSectorBytes));
  }
  opened.store = std::move(store);
  return opened;
}

// ---- memory and null

const char* size_fault(ParseErrc errc) {
  switch (errc) {
    case ParseErrc::not_a_number:
      return "expected a number of bytes, with K, M, G, T, P or s (sectors) behind it";
    case ParseErrc::unknown_suffix:
      return "unknown unit (expected K, M, G, T or P, KiB to PiB, or s for sectors)";
    case ParseErrc::too_large:
      return "does not fit into 64 bits";
  }
  return "no size";
}

Result<std::uint64_t> whole_size(const StoreSpec& spec) {
  const auto parsed = parse_size(spec.argument);
  if (!parsed) {
    return refused(spec, size_fault(parsed.error()));
  }
  if (*parsed == 0 || *parsed % kSectorBytes != 0) {
    return refused(spec, fmt::format("{} bytes are no multiple of {}", *parsed, kSectorBytes));
  }
  if (*parsed > NullStore::kSizeMaxBytes) {
    return refused(spec, fmt::format("larger than {}, which is all that sector numbers reach",
                                     format_size(NullStore::kSizeMaxBytes)));
  }
  return *parsed;
}

Result<void> check_size(const StoreSpec& spec) {
  AOE_TRY(whole_size(spec));
  return {};
}

Result<void> check_no_file_options(const StoreSpec& spec, const StoreOptions& options) {
  if (options.offset_sectors != 0 || options.length_sectors) {
    return refused(spec, "offset= and length= are for files and devices");
  }
  if (options.direct == DirectIo::on) {
    return refused(spec, "direct=on is for files and devices");
  }
  if (options.cache_bytes != 0) {
    return refused(spec, "cache= is for files and devices");
  }
  return {};
}

Result<OpenedStore> open_memory(const StoreSpec& spec, const StoreOptions& options,
                                IoEngine& /*engine*/) {
  AOE_TRY(check_no_file_options(spec, options));
  AOE_TRY_ASSIGN(const std::uint64_t size_bytes, whole_size(spec));
  OpenedStore opened;
  AOE_TRY_ASSIGN(opened.store, MemoryStore::open(size_bytes, options.in_flight_max));
  return opened;
}

Result<OpenedStore> open_null(const StoreSpec& spec, const StoreOptions& options,
                              IoEngine& /*engine*/) {
  AOE_TRY(check_no_file_options(spec, options));
  AOE_TRY_ASSIGN(const std::uint64_t size_bytes, whole_size(spec));
  OpenedStore opened;
  opened.store = std::make_unique<NullStore>(size_bytes, options.in_flight_max);
  return opened;
}

// ---- rbd

Result<void> check_rbd(const StoreSpec& spec) {
  return fail_with(Errc::unsupported, 0,
                   fmt::format("store '{}': this build has no Ceph RBD support (map the image with "
                               "'rbd map' and serve the block device)",
                               to_string(spec)));
}

Result<OpenedStore> open_rbd(const StoreSpec& spec, const StoreOptions& /*options*/,
                             IoEngine& /*engine*/) {
  return fail(std::move(check_rbd(spec)).error());
}

// ---- the table: a new backend is one line here

struct Backend {
  std::string_view name;
  CheckFunction check;  // the argument, without touching anything
  OpenFunction open;
};

constexpr std::array kBackends = {
    Backend{"file", check_path, open_file},
    Backend{"memory", check_size, open_memory},
    Backend{"null", check_size, open_null},
    Backend{"rbd", check_rbd, open_rbd},
};

Result<const Backend*> find_backend(const StoreSpec& spec) {
  std::string known;
  for (const Backend& backend : kBackends) {
    if (backend.name == spec.backend) {
      return &backend;
    }
    known += fmt::format("{}{}", known.empty() ? "" : ", ", backend.name);
  }
  return refused(spec, fmt::format("unknown kind '{}' (expected {}; a path with a colon is written "
                                   "file:PATH)",
                                   spec.backend, known));
}

}  // namespace

Result<StoreSpec> parse_store_spec(std::string_view text) {
  const std::size_t colon = text.find(':');
  StoreSpec spec;
  if (colon == std::string_view::npos ||
      text.substr(0, colon).find('/') != std::string_view::npos) {
    spec = {.backend = "file", .argument = std::string(text)};
  } else {
    spec = {.backend = std::string(text.substr(0, colon)),
            .argument = std::string(text.substr(colon + 1))};
  }
  AOE_TRY_ASSIGN(const Backend* backend, find_backend(spec));
  AOE_TRY(backend->check(spec));
  return spec;
}

std::string to_string(const StoreSpec& spec) {
  return spec.backend + ":" + spec.argument;
}

Result<OpenedStore> open_store(const StoreSpec& spec, const StoreOptions& options,
                               IoEngine& engine) {
  constexpr std::uint32_t kInFlightLimit = 4096;
  if (options.in_flight_max < 2 || options.in_flight_max > kInFlightLimit) {
    return refused(spec, fmt::format("{} operations in flight: expected 2 to {}",
                                     options.in_flight_max, kInFlightLimit));
  }
  AOE_TRY_ASSIGN(const Backend* backend, find_backend(spec));
  AOE_TRY_ASSIGN(OpenedStore opened, backend->open(spec, options, engine));
  if (opened.store->info().is_volatile) {
    opened.store = std::make_unique<GroupCommitStore>(std::move(opened.store));
  }
  if (options.cache_bytes != 0) {
    AOE_TRY_ASSIGN(opened.store, CacheStore::make(std::move(opened.store), options.cache_bytes));
  }
  if (options.access == Access::read_only && !opened.store->info().is_read_only) {
    opened.store = std::make_unique<ReadonlyStore>(std::move(opened.store));
  }
  if (options.statistics == Statistics::on) {
    auto stats = std::make_unique<StatsStore>(std::move(opened.store));
    opened.stats = stats.get();
    opened.store = std::move(stats);
  }
  return opened;
}

}  // namespace aoe::storage
