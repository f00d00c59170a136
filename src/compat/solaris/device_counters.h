// The counters and settings of a device in the names of the Solaris package.
#pragma once

#include "compat/solaris/aoed_conf.h"
#include "compat/solaris/kstat_text.h"
#include "control/message.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aoe::compat::solaris {

using KstatValues = std::vector<std::pair<std::string, std::string>>;

// Of one device in the result of initiator.stats. What counts answers and frames is the sum over
// its paths, since each was found; what counts requests is of the device.
//
//   atasnd, atarcv   frames of requests sent, answered
//   retries          frames sent again
//   erraoe, errata   answers that were an AoE error, an ATA error
//   errtrunc         answers with less data than asked for
//   softerr          answers with an error that the disk corrected
//   errtimeout       requests that were given up
//   errwmsg          requests that no path could send
[[nodiscard]] KstatValues stats_values(const control::Json& stats);

// Of the results of initiator.show: cylsize (of the geometry that a label is made up with), maxbuf
// (frames that may be in flight, over all paths), maxdata, mibsize, timeout (the longest that any
// path waits before it sends again, in milliseconds).
// What its entry in aoed.conf says of timeout, and of hd and sec, counts instead; nullptr: none.
[[nodiscard]] KstatValues conf_values(const control::Json& show, const AoedDevice* entry);

}  // namespace aoe::compat::solaris
