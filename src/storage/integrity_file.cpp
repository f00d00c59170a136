#include "storage/integrity_file.h"

#include "os/error_text.h"
#include "os/fd.h"
#include "os/sync_directory.h"
#include "storage/file_store.h"
#include "storage/group_commit_store.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

namespace aoe::storage {

namespace {

constexpr mode_t kMode = 0600;
// How far a store may grow before its sums have no room: sixteen times, and 16 GiB in any case.
constexpr std::uint64_t kGrowth = 16;
constexpr std::uint64_t kCapacityMinSectors = std::uint64_t{1} << 25U;

auto failed(const std::string& path, const char* what) {
  return fail(os::os_error(errno, fmt::format("{}: {}", path, what)));
}

Result<void> make(const SumsRequest& request) {
  const os::Fd file(::open(request.path.c_str(),
                           O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, kMode));
  if (!file) {
    return failed(request.path, "cannot make");
  }
  IntegrityHeader header{
      .name_hash = request.name_hash,
      .capacity_sectors =
          std::min(kLbaLimit, std::max(request.base_sectors * kGrowth, kCapacityMinSectors)),
      .created_unix_seconds = static_cast<std::uint64_t>(std::time(nullptr))};
  const auto stretch = [&file](std::uint64_t sectors) {
    return ::ftruncate(file.get(), static_cast<off_t>(integrity_file_bytes(sectors))) == 0;
  };
  bool is_long = stretch(header.capacity_sectors);
  if (!is_long && errno == EFBIG) {
    header.capacity_sectors = request.base_sectors;
    is_long = stretch(header.capacity_sectors);
  }
  const auto bytes = encode_integrity_header(header);
  if (!is_long || ::pwrite(file.get(), bytes.data(), bytes.size(), 0) != std::ssize(bytes) ||
      ::fsync(file.get()) != 0) {
    const int os_errno = errno;
    (void)::unlink(request.path.c_str());
    errno = os_errno;
    return failed(request.path, "cannot make");
  }
  return os::sync_directory_of(request.path);
}

Result<IntegrityHeader> read_header(const std::string& path) {
  const os::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file) {
    return failed(path, "cannot open");
  }
  std::array<std::byte, kSectorBytes> bytes{};
  const ssize_t got = ::pread(file.get(), bytes.data(), bytes.size(), 0);
  if (got < 0) {
    return failed(path, "cannot read");
  }
  auto header = decode_integrity_header(bytes);
  const off_t length = ::lseek(file.get(), 0, SEEK_END);
  if (header && (length < 0 || static_cast<std::uint64_t>(length) <
                                   integrity_file_bytes(header->capacity_sectors))) {
    header = fail_with(Errc::corrupt, 0, "the file was cut off");
  }
  if (!header) {
    return fail_with(
        Errc::corrupt, 0,
        fmt::format("{}: {} (move it away; a scrub makes new ones)", path, header.error().message));
  }
  return header;
}

}  // namespace

Result<OpenedSums> open_sums(const SumsRequest& request, IoEngine& engine) {
  OpenedSums opened;
  auto header = read_header(request.path);
  if (!header && header.error().code == Errc::not_found) {
    AOE_TRY(make(request));
    opened.is_new = true;
    header = read_header(request.path);
  }
  AOE_TRY(header);
  if (header->name_hash != request.name_hash) {
    return fail_with(Errc::invalid_argument, 0,
                     request.path + ": it has the checksums of another store, or another window");
  }
  if (header->capacity_sectors < request.base_sectors) {
    return fail_with(
        Errc::invalid_argument, 0,
        fmt::format(
            "{}: it has room for the checksums of {} sectors, and the store has {} (move it "
            "away; a scrub makes new ones)",
            request.path, header->capacity_sectors, request.base_sectors));
  }
  StoreOptions options;
  options.direct = DirectIo::off;
  options.in_flight_max = request.in_flight_max;
  AOE_TRY_ASSIGN(auto file, FileStore::open(request.path, options, engine));
  opened.file = std::make_unique<GroupCommitStore>(std::move(file));
  opened.capacity_sectors = header->capacity_sectors;
  return opened;
}

}  // namespace aoe::storage
