#include "frontends/block/nbd_front_end.h"

#include "frontends/block/nbd_handshake.h"
#include "os/error_text.h"
#include "os/fd.h"
#include "os/nbd_device.h"
#include "os/run_program.h"
#include "os/unix_socket.h"

#include <fmt/format.h>

#include <sys/types.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

namespace aoe::block {
namespace {

namespace fs = std::filesystem;

// Requests of one connection that nbdkit works on at a time.
constexpr int kThreads = 64;
// One a processor is what the kernel makes queues for; more than a few bring nothing.
constexpr unsigned kConnectionsMax = 4;

// In a build tree the plugin lies beside the programs; when it is installed nbdkit knows where.
std::string find_plugin() {
  const fs::path beside =
      fs::path(os::own_executable()).parent_path().parent_path() / "lib" / "nbdkit-aoe-plugin.so";
  std::error_code ignored;
  return fs::exists(beside, ignored) ? beside.string() : "aoe";
}

// A directory for the socket and the pid, which nobody needs once the kernel is connected.
class ShortLivedDirectory {
 public:
  static Result<ShortLivedDirectory> make() {
    std::string path = "/run/aoekit-nbd.XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) {
      return fail(os::os_error(errno, path + ": make the directory"));
    }
    return ShortLivedDirectory(std::move(path));
  }

  ShortLivedDirectory(ShortLivedDirectory&& other) noexcept
      : path_(std::exchange(other.path_, {})) {}

  ShortLivedDirectory& operator=(ShortLivedDirectory&&) = delete;
  ShortLivedDirectory(const ShortLivedDirectory&) = delete;
  ShortLivedDirectory& operator=(const ShortLivedDirectory&) = delete;

  ~ShortLivedDirectory() {
    std::error_code ignored;
    if (!path_.empty()) {
      fs::remove_all(path_, ignored);
    }
  }

  [[nodiscard]] std::string path(const char* name) const { return path_ + "/" + name; }

 private:
  explicit ShortLivedDirectory(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

// Ends nbdkit unless the kernel has taken it over.
class NbdkitGuard {
 public:
  explicit NbdkitGuard(const std::string& pid_file) {
    std::ifstream file(pid_file);
    file >> pid_;
  }

  NbdkitGuard(const NbdkitGuard&) = delete;
  NbdkitGuard& operator=(const NbdkitGuard&) = delete;

  ~NbdkitGuard() {
    if (pid_ > 0) {
      (void)::kill(pid_, SIGTERM);
    }
  }

  void release() { pid_ = 0; }

 private:
  pid_t pid_ = 0;
};

}  // namespace

std::vector<std::string> nbdkit_arguments(const Source& source, const NbdkitPlaces& places) {
  std::vector<std::string> words{"nbdkit", "--unix", places.socket, "--pidfile", places.pid_file,
                                 "--threads", std::to_string(kThreads),
                                 // Locked in memory: it must not wait for the disk that it serves.
                                 "--swap", "--filter=exitlast"};
  if (source.access == Access::read_only) {
    words.emplace_back("--readonly");
  }
  words.push_back(places.plugin);
  words.push_back("uri=" + source.uri);
  return words;
}

std::string nbdkit_complaint(const std::string& errors) {
  // The first error tells the cause; hints may follow.
  constexpr std::string_view kError = "error: ";
  std::string_view line = errors;
  const std::size_t first = line.find(kError);
  line.remove_prefix(first == std::string_view::npos ? 0 : first);
  line = line.substr(0, line.find('\n'));
  for (const std::string_view prefix : {std::string_view("nbdkit: "), kError}) {
    if (line.starts_with(prefix)) {
      line.remove_prefix(prefix.size());
    }
  }
  return line.empty() ? "it says nothing" : std::string(line);
}

Result<void> check_nbdkit(const NbdkitInstallation& installation) {
  AOE_TRY_ASSIGN(const os::ProgramOutcome nbdkit,
                 os::run_program({installation.program, "--dump-plugin", installation.plugin}));
  if (nbdkit.status != 0) {
    return fail_with(Errc::unsupported, 0,
                     fmt::format("nbdkit cannot load the plugin of this package: {}",
                                 nbdkit_complaint(nbdkit.errors)));
  }
  return {};
}

Result<void> check_nbd() {
  AOE_TRY(os::check_nbd());
  if (!os::is_in_path("nbdkit")) {
    return fail_with(Errc::unsupported, 0, "nbdkit is not installed");
  }
  return check_nbdkit({.plugin = find_plugin()});
}

Result<std::string> attach_nbd(const Source& source) {
  AOE_TRY_ASSIGN(const ShortLivedDirectory directory, ShortLivedDirectory::make());
  const NbdkitPlaces places{.plugin = find_plugin(),
                            .socket = directory.path("socket"),
                            .pid_file = directory.path("pid")};
  AOE_TRY_ASSIGN(const os::ProgramOutcome nbdkit,
                 os::run_program(nbdkit_arguments(source, places)));
  NbdkitGuard guard(places.pid_file);
  if (nbdkit.status != 0) {
    return fail_with(Errc::unavailable, 0,
                     fmt::format("nbdkit: {}", nbdkit_complaint(nbdkit.errors)));
  }
  os::NbdOptions options{.backend = name_of_source(source.address)};
  std::vector<os::Fd> sockets;
  unsigned wanted = 1;
  while (sockets.size() < wanted) {
    AOE_TRY_ASSIGN(os::Fd socket, os::connect_unix(places.socket));
    AOE_TRY_ASSIGN(const NbdExport found, negotiate(socket.get()));
    options.bytes = found.bytes;
    options.server_flags = found.flags;
    if ((found.flags & kNbdMultiConn) != 0) {
      wanted = std::clamp(std::thread::hardware_concurrency(), 1U, kConnectionsMax);
    }
    options.sockets.push_back(socket.get());
    sockets.push_back(std::move(socket));
  }
  AOE_TRY_ASSIGN(std::string device, os::connect_nbd(options));
  guard.release();
  return device;
}

}  // namespace aoe::block
