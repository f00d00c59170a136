#include "os/fuse_mount.h"

#include "os/error_text.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

namespace aoe::os {
namespace {

// The type of what is mounted last at `directory`, empty where nothing is.
std::string mounted_type(const std::string& directory) {
  std::ifstream table("/proc/self/mountinfo");
  std::string line;
  std::string type;
  while (std::getline(table, line)) {
    // 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw (proc(5)); the optional fields
    // before the dash vary in number.
    std::istringstream fields(line);
    std::string skipped;
    std::string point;
    fields >> skipped >> skipped >> skipped >> skipped >> point;
    const std::size_t dash = line.find(" - ");
    if (point == directory && dash != std::string::npos) {
      std::istringstream behind(line.substr(dash + 3));
      behind >> type;
    }
  }
  return type;
}

Result<void> clear_stale_mount(const std::string& directory, const std::string& type) {
  // A directory under a dead mount cannot even be looked at, so the table is asked first.
  if (mounted_type(directory) != type) {
    return {};
  }

  struct stat info {};

  if (::stat(directory.c_str(), &info) == 0 || errno != ENOTCONN) {
    return fail_with(Errc::busy, 0,
                     fmt::format("{}: mount: another daemon has mounted there", directory));
  }
  if (::umount2(directory.c_str(), MNT_DETACH) != 0) {
    return fail(
        os_error(errno, fmt::format("{}: take away the mount of a dead daemon", directory)));
  }
  return {};
}

// What the guard is told.
constexpr char kUnmount = 'u';
constexpr char kStay = 's';

// In the child: nothing but what a fork of any program may do. Never returns.
[[noreturn]] void guard(const char* directory, int pipe) {
  (void)::prctl(PR_SET_NAME, "aoe-unmount");
  (void)std::signal(SIGINT, SIG_IGN);
  (void)std::signal(SIGTERM, SIG_IGN);
  (void)std::signal(SIGHUP, SIG_IGN);
  // Above all the descriptor of /dev/fuse: while it is open somewhere, requests wait for an answer.
  (void)::dup2(pipe, STDIN_FILENO);
  (void)::close_range(STDOUT_FILENO, ~0U, 0);
  // The last word counts.
  char word = kUnmount;
  ssize_t count = 0;
  do {
    count = ::read(STDIN_FILENO, &word, 1);
  } while (count > 0 || (count < 0 && errno == EINTR));
  if (word == kUnmount) {
    (void)::umount2(directory, MNT_DETACH);
  }
  ::_exit(0);
}

}  // namespace

Result<std::unique_ptr<FuseMount>> FuseMount::mount(const Options& options) {
  std::error_code made;
  const std::string type = "fuse." + options.type;
  AOE_TRY(clear_stale_mount(options.directory, type));
  std::filesystem::create_directories(options.directory, made);
  if (made) {
    return fail(os_error(made.value(), fmt::format("{}: make the directory", options.directory)));
  }
  const std::string directory = std::filesystem::canonical(options.directory, made).string();
  if (made) {
    return fail(os_error(made.value(), fmt::format("{}: resolve the path", options.directory)));
  }
  // Named by a symbolic link it was looked up in vain above.
  AOE_TRY(clear_stale_mount(directory, type));
  Fd device(::open("/dev/fuse", O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!device) {
    if (errno == ENOENT || errno == ENODEV || errno == ENXIO) {
      return fail_with(Errc::unsupported, errno,
                       fmt::format("{}: mount: this kernel has no FUSE", directory));
    }
    return fail(os_error(errno, "/dev/fuse: open"));
  }
  const std::string data = fmt::format(
      "fd={},rootmode=40000,user_id={},group_id={},allow_other,default_permissions,max_read={}",
      device.get(), ::getuid(), ::getgid(), options.read_bytes_max);
  if (::mount("aoekit", directory.c_str(), type.c_str(), MS_NOSUID | MS_NODEV | MS_NOEXEC,
              data.c_str()) != 0) {
    return fail(os_error(errno, fmt::format("{}: mount", directory)));
  }
  std::unique_ptr<FuseMount> mounted(new FuseMount(directory, std::move(device)));
  if (auto started = mounted->start_guard(); !started) {
    (void)::umount2(directory.c_str(), MNT_DETACH);
    return fail(started.error());
  }
  return mounted;
}

Result<std::unique_ptr<FuseMount>> FuseMount::adopt(const Options& options, Fd device) {
  // The directory itself cannot be looked at: that would wait for ourselves.
  std::error_code failed;
  const std::filesystem::path parent =
      std::filesystem::canonical(std::filesystem::path(options.directory).parent_path(), failed);
  const std::string directory =
      (parent / std::filesystem::path(options.directory).filename()).string();
  if (failed || mounted_type(directory) != "fuse." + options.type) {
    return fail_with(Errc::not_found, 0, fmt::format("{}: is mounted no more", options.directory));
  }
  if (::fcntl(device.get(), F_SETFL, O_NONBLOCK) != 0) {
    return fail(os_error(errno, fmt::format("{}: adopt its descriptor", directory)));
  }
  std::unique_ptr<FuseMount> mounted(new FuseMount(directory, std::move(device)));
  AOE_TRY(mounted->start_guard());
  return mounted;
}

void FuseMount::stay_mounted(bool stays) {
  stays_mounted_ = stays;
  const char word = stays ? kStay : kUnmount;
  (void)!::write(guard_pipe_.get(), &word, 1);
}

Result<void> FuseMount::start_guard() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail(os_error(errno, fmt::format("{}: mount: pipe", directory_)));
  }
  const Fd read_end(ends[0]);
  guard_pipe_ = Fd(ends[1]);
  // Whatever waits to be printed must not be printed twice.
  (void)std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    guard(directory_.c_str(), read_end.get());
  }
  if (child < 0) {
    return fail(os_error(errno, fmt::format("{}: mount: fork", directory_)));
  }
  guard_ = child;
  return {};
}

FuseMount::~FuseMount() {
  // First our end of the connection: what still waits for an answer fails, and nothing can hold the
  // unmounting up.
  device_.reset();
  guard_pipe_.reset();
  if (guard_ > 0) {
    int status = 0;
    while (::waitpid(guard_, &status, 0) < 0 && errno == EINTR) {
    }
  }
}

}  // namespace aoe::os
