// coraid-update: copies an update file to the update target of a CORAID appliance.
#include "compat/aoetools/commands.h"
#include "compat/aoetools/common_options.h"
#include "compat/aoetools/files.h"
#include "compat/aoetools/partition_list.h"
#include "os/child.h"
#include "os/error_text.h"
#include "os/fd.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace aoe::compat::aoetools {
namespace {

constexpr const char* kUsage = "usage: coraid-update {update file} {AoE device}\n";
// Of an update target, in KiB; theirs has 40000. Guards the disks of a shelf.
constexpr std::uint64_t kTargetKibMax = 70'000;
constexpr std::size_t kPieceBytes = std::size_t{1} << 20U;

// Of a device's node, in KiB.
std::optional<std::uint64_t> node_kib(const Places& places, const std::string& node) {
  const auto list = read_small_file(places.proc + "/partitions");
  if (const auto listed = list ? partition_kib(*list, partition_name(node)) : std::nullopt) {
    return listed;
  }

  // A device of aoe-initiatord is a file, or the link to a block device of another name.
  struct stat status {};

  if (::stat(node.c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
    return static_cast<std::uint64_t>(status.st_size) / 1024;
  }
  std::array<char, 4096> real{};
  if (list && ::realpath(node.c_str(), real.data()) != nullptr) {
    return partition_kib(*list, partition_name(real.data()));
  }
  return std::nullopt;
}

// As the tar of this host sees it.
bool looks_like_archive(const std::string& path) {
  std::string quoted = "'";
  for (const char c : path) {
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  auto child = os::ChildProcess::run_shell("exec tar tf " + quoted + "' >/dev/null 2>&1");
  if (!child) {
    return false;
  }
  pollfd ended{.fd = (*child)->wait_fd(), .events = POLLIN, .revents = 0};
  while (!(*child)->exit_status()) {
    (void)::poll(&ended, 1, -1);
  }
  return (*child)->exit_status() == 0;
}

// All of it, and on the disk when this returns. Errors: io.
Result<void> copy_file(const std::string& from, const std::string& to) {
  const os::Fd source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  const os::Fd target(::open(to.c_str(), O_WRONLY | O_CLOEXEC));
  if (!source || !target) {
    return fail(os::os_error(errno, source ? to : from));
  }
  std::vector<char> piece(kPieceBytes);
  for (;;) {
    const ssize_t got = ::read(source.get(), piece.data(), piece.size());
    if (got == 0) {
      break;
    }
    for (ssize_t done = 0; done < got;) {
      const ssize_t put =
          ::write(target.get(), piece.data() + done, static_cast<std::size_t>(got - done));
      if (put <= 0) {
        return fail(os::os_error(put < 0 ? errno : ENOSPC, to + ": write"));
      }
      done += put;
    }
    if (got < 0) {
      return fail(os::os_error(errno, from + ": read"));
    }
  }
  if (::fsync(target.get()) != 0) {
    return fail(os::os_error(errno, to + ": fsync"));
  }
  return {};
}

}  // namespace

int update_appliance(const Call& call, Driver& driver, Console& console) {
  const ParsedCall parsed = parse_call(call, "", console);
  constexpr const char* kText =
      "Copies an update file to the update target of a CORAID appliance, after checks.\n\n";
  if (parsed.is_answered(help_text("coraid-update [options] {update file} {AoE device}", kText),
                         console)) {
    return parsed.answered_status();
  }
  if (parsed.operands.size() != 2) {
    console.error(kUsage);
    return 1;
  }
  const std::string& update = parsed.operands[0];
  const std::string& node = parsed.operands[1];
  const auto refuse = [&](const std::string& why) {
    console.error(fmt::format("coraid-update Error: {}\n", why));
    return 1;
  };
  const auto known = driver.devices();
  const std::string name = node.substr(node.rfind('/') + 1);
  if (!known || std::none_of(known->begin(), known->end(),
                             [&](const DeviceFiles& device) { return device.name == name; })) {
    refuse(fmt::format("\"{}\" is not an AoE target", node));
    console.error(kUsage);
    return 1;
  }
  // The words of these two stand the other way round.
  const auto kib = node_kib(call.places, node);
  if (!kib || *kib > kTargetKibMax) {
    console.error(
        kib ? fmt::format("Error coraid-update: {} is too large to be an update target\n", node)
            : fmt::format("Error coraid-update: could not get size of {}\n", node));
    return 1;
  }
  if (update.ends_with(".tarc") && !looks_like_archive(update)) {
    return refuse(fmt::format("\"{}\" does not appear to be a valid tarc file", update));
  }
  if (::access(update.c_str(), R_OK) != 0) {
    return refuse(fmt::format("\"{}\" is not readable", update));
  }
  if (const auto copied = copy_file(update, node); !copied) {
    return refuse(fmt::format("could not successfully write \"{}\" to \"{}\"", update, node));
  }
  return 0;
}

}  // namespace aoe::compat::aoetools
