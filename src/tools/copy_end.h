// The two ends of a copy: a device, a file or block device, a pipe, or a check of what was copied.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "client/session.h"
#include "tools/copy_hash.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aoe::tools {

// A piece of data under way. Its memory must outlive the ends: a device may still read or write it
// until it is closed.
struct CopyBlock {
  std::size_t index = 0;     // of the block among all of the copy
  ByteSpan memory;           // a multiple of 512 bytes
  std::uint64_t offset = 0;  // where it belongs, a multiple of memory.size()
  std::size_t bytes = 0;     // to read or write, 1..memory.size(). A source that ends lowers it

  [[nodiscard]] ByteSpan data() const { return memory.first(bytes); }
};

// Starts reads or writes of blocks and says when they are done. An end is used as source or as
// destination, never both. Everything happens inside its calls, on one thread.
class CopyEnd {
 public:
  CopyEnd() = default;
  CopyEnd(const CopyEnd&) = delete;
  CopyEnd& operator=(const CopyEnd&) = delete;
  virtual ~CopyEnd() = default;

  // As the user wrote it, for messages.
  [[nodiscard]] virtual const std::string& name() const = 0;

  // nullopt for a pipe, whose end shows when it comes.
  [[nodiscard]] virtual std::optional<std::uint64_t> size_bytes() const = 0;

  // Whether blocks must be started in the order of their offsets.
  [[nodiscard]] virtual bool in_order() const { return false; }

  // Called once on a destination before the first block, with the number of bytes that will come if
  // that is known. Errors: no_space (it is too small), and those of the file.
  [[nodiscard]] virtual Result<void> prepare(std::optional<std::uint64_t> total_bytes) = 0;

  // The block stays with the end until poll() gives it back. Reads leave bytes = 0 behind the end
  // of a source of unknown size.
  [[nodiscard]] virtual Result<void> start_read(CopyBlock& block) = 0;
  [[nodiscard]] virtual Result<void> start_write(CopyBlock& block) = 0;

  // Appends the blocks that are done; never waits. The first error ends the copy.
  [[nodiscard]] virtual Result<void> poll(std::vector<CopyBlock*>& done) = 0;

  [[nodiscard]] virtual std::size_t outstanding() const = 0;

  // Waits until poll() has something to do or the deadline has come. Only with outstanding blocks.
  virtual void wait(Instant deadline) = 0;

  // Called once on a destination after the last block: everything is on stable storage when it
  // returns without an error. `total_bytes` were written.
  [[nodiscard]] virtual Result<void> finish(std::uint64_t total_bytes) = 0;

  // Frames sent again, for the summary.
  [[nodiscard]] virtual std::uint64_t retransmissions() const { return 0; }
};

enum class CopyRole : std::uint8_t { source, destination };
enum class Sparse : bool { no, yes };

// A device of an open session, which the end takes over.
struct DeviceEndOptions {
  std::string name;
  std::unique_ptr<client::Session> session;
  std::unique_ptr<client::Device> device;
  Sparse sparse = Sparse::yes;  // blocks of zeros become TRIM where that reads as zeros afterwards
};

[[nodiscard]] std::unique_ptr<CopyEnd> make_device_end(DeviceEndOptions options);

struct FileEndOptions {
  std::string path;  // "-" is standard input or output
  CopyRole role = CopyRole::source;
  Sparse sparse = Sparse::yes;  // holes are skipped as a source and made in a regular file
};

// A regular file, a block device, or anything that only streams. A regular file to write to is
// created, or emptied by prepare(); a block device to write to must not be mounted. Errors: those
// of open(2), with the path.
[[nodiscard]] Result<std::unique_ptr<CopyEnd>> open_file_end(const FileEndOptions& options);

// A destination that compares instead of writing: `inner` reads the copy into `memory`, which has
// room for all blocks of the copy and outlives the end. A block that differs is the error corrupt,
// with the offset of the first wrong byte.
[[nodiscard]] std::unique_ptr<CopyEnd> make_compare_end(std::unique_ptr<CopyEnd> inner,
                                                        std::vector<std::byte>& memory,
                                                        std::size_t block_bytes);

// The same against hashes taken while copying (one for each block of the source, in order), for a
// source that cannot be read twice. The copy is the source of that pass; `name` names it.
[[nodiscard]] std::unique_ptr<CopyEnd> make_hash_check_end(
    std::string name, const std::vector<std::uint64_t>& hashes);

}  // namespace aoe::tools
