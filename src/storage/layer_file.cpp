#include "storage/layer_file.h"

#include "os/error_text.h"
#include "os/fd.h"
#include "os/sync_directory.h"
#include "storage/file_store.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace aoe::storage {

namespace {

constexpr mode_t kLayerMode = 0600;

auto failed(const std::string& path, const char* what, int os_errno) {
  return fail(os::os_error(os_errno, fmt::format("{}: {}", path, what)));
}

Result<os::Fd> open_reading(const std::string& path) {
  os::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file) {
    return failed(path, "cannot open", errno);
  }
  return file;
}

LayerReader reader_of(const std::string& path, const os::Fd& file) {
  return [&path, &file](std::uint64_t offset_bytes, ByteSpan to) -> Result<void> {
    while (!to.empty()) {
      const ssize_t got =
          ::pread(file.get(), to.data(), to.size(), static_cast<off_t>(offset_bytes));
      if (got < 0 && errno == EINTR) {
        continue;
      }
      if (got < 0) {
        return failed(path, "cannot read", errno);
      }
      if (got == 0) {
        return fail_with(Errc::corrupt, 0,
                         fmt::format("{}: the file ends at byte {}: it is no layer, or was cut off",
                                     path, offset_bytes));
      }
      offset_bytes += static_cast<std::uint64_t>(got);
      to = to.subspan(static_cast<std::size_t>(got));
    }
    return {};
  };
}

// Whether a file that is in the way may be overwritten.
Result<void> check_replaceable(const std::string& path) {
  const auto header = peek_layer(path);
  if (!header) {
    return fail_with(Errc::already_exists, 0,
                     fmt::format("{}: a file is there that is no layer (move it away)", path));
  }
  if (header->state != LayerState::merged && header->state != LayerState::preparing) {
    return fail_with(Errc::already_exists, 0,
                     fmt::format("{}: a layer is there that holds writes (it belongs to another "
                                 "export or daemon; move it away only if that is given up)",
                                 path));
  }
  return {};
}

}  // namespace

Result<void> make_layer(const std::string& path, const LayerHeader& header) {
  constexpr int kFlags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY;
  os::Fd file(::open(path.c_str(), kFlags | O_EXCL, kLayerMode));
  if (!file && errno == EEXIST) {
    AOE_TRY(check_replaceable(path));
    file = os::Fd(::open(path.c_str(), kFlags | O_TRUNC, kLayerMode));
  }
  if (!file) {
    return failed(path, "cannot make", errno);
  }
  const auto bytes = encode_header(header);
  const auto offset = static_cast<off_t>(header_offset_bytes(header.generation));
  const auto size = static_cast<off_t>(layer_layout(header.base.sectors).file_bytes);
  const bool is_made =
      ::ftruncate(file.get(), size) == 0 &&
      ::pwrite(file.get(), bytes.data(), bytes.size(), offset) == std::ssize(bytes) &&
      ::fsync(file.get()) == 0;
  if (!is_made) {
    const int os_errno = errno;
    (void)::unlink(path.c_str());
    return failed(path, "cannot make", os_errno);
  }
  return os::sync_directory_of(path);
}

Result<LayerHeader> peek_layer(const std::string& path) {
  AOE_TRY_ASSIGN(const os::Fd file, open_reading(path));
  return read_layer_header(path, reader_of(path, file));
}

Result<ReplayedLayer> load_layer(const std::string& path) {
  AOE_TRY_ASSIGN(const os::Fd file, open_reading(path));

  struct stat status {};

  if (::fstat(file.get(), &status) != 0) {
    return failed(path, "cannot read the size", errno);
  }
  return replay_layer(path, reader_of(path, file), static_cast<std::uint64_t>(status.st_size));
}

Result<OpenedLayer> open_layer(const std::string& path, ReplayedLayer content,
                               std::uint32_t in_flight_max, IoEngine& engine) {
  StoreOptions options;
  options.direct = DirectIo::off;
  options.in_flight_max = in_flight_max;
  OpenedLayer layer;
  AOE_TRY_ASSIGN(layer.file, FileStore::open(path, options, engine));
  layer.content = std::move(content);
  return layer;
}

Result<void> remove_layer(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return failed(path, "cannot remove", errno);
  }
  return os::sync_directory_of(path);
}

}  // namespace aoe::storage
