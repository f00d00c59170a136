#include "initiator/request_merger.h"

#include <gtest/gtest.h>

#include <vector>

namespace aoe::initiator {
namespace {

class RequestMerger : public testing::Test {
 protected:
  std::uint32_t add(FrameOp op, std::uint64_t lba, std::uint64_t sectors) {
    const std::uint32_t id = *requests.acquire();
    Request& request = requests.at(id);
    request.op = op;
    request.io.lba = Lba{lba};
    request.io.sectors = sectors;
    sending.push_back(requests.sending_links(), id);
    return id;
  }

  FrameFill plan(std::uint32_t payload, std::uint32_t align = 1, std::uint64_t ranges = 64) {
    return plan_frame(requests, sending,
                      {.payload_sectors = payload, .align_sectors = align, .trim_ranges = ranges});
  }

  static std::vector<std::uint32_t> ids(const FrameFill& fill) {
    return {fill.requests.begin(), fill.requests.begin() + fill.request_count};
  }

  using Ids = std::vector<std::uint32_t>;

  RequestTable requests{128};
  IndexList sending;
};

TEST_F(RequestMerger, ARequestAloneFillsFramesByItself) {
  const std::uint32_t a = add(FrameOp::read, 0, 40);
  EXPECT_EQ(plan(17).sectors, 14U);
  EXPECT_EQ(ids(plan(17)), Ids{a});
  requests.at(a).sent_sectors = 34;
  EXPECT_EQ(plan(17).sectors, 6U);
}

TEST_F(RequestMerger, RequestsThatGoOnShareTheFrame) {
  const std::uint32_t a = add(FrameOp::write, 10, 3);
  const std::uint32_t b = add(FrameOp::write, 13, 4);
  const std::uint32_t c = add(FrameOp::write, 17, 5);
  const FrameFill fill = plan(17);
  EXPECT_EQ(fill.sectors, 12U);
  EXPECT_EQ(ids(fill), (Ids{a, b, c}));
}

TEST_F(RequestMerger, OthersInBetweenDoNotMatter) {
  const std::uint32_t a = add(FrameOp::write, 10, 3);
  add(FrameOp::write, 90, 3);
  add(FrameOp::write_zeroes, 13, 3);
  const std::uint32_t b = add(FrameOp::write, 13, 4);
  EXPECT_EQ(ids(plan(17)), (Ids{a, b}));
}

TEST_F(RequestMerger, AFrameEndsWithARequestWhereThatCostsNothing) {
  const std::uint32_t a = add(FrameOp::read, 0, 8);
  const std::uint32_t b = add(FrameOp::read, 8, 8);
  add(FrameOp::read, 16, 8);
  const FrameFill fill = plan(17);
  EXPECT_EQ(fill.sectors, 16U);
  EXPECT_EQ(ids(fill), (Ids{a, b}));
}

TEST_F(RequestMerger, ARestTakesTheStartOfTheNextRequest) {
  const std::uint32_t a = add(FrameOp::read, 0, 35);
  const std::uint32_t b = add(FrameOp::read, 35, 33);
  requests.at(a).sent_sectors = 34;
  const FrameFill fill = plan(17);
  EXPECT_EQ(fill.sectors, 17U) << "1 + 33 sectors are two full frames";
  EXPECT_EQ(ids(fill), (Ids{a, b}));
}

TEST_F(RequestMerger, ARequestThatHasBegunIsNoContinuation) {
  const std::uint32_t a = add(FrameOp::read, 0, 4);
  const std::uint32_t b = add(FrameOp::read, 4, 4);
  requests.at(b).sent_sectors = 1;
  EXPECT_EQ(ids(plan(17)), Ids{a});
}

TEST_F(RequestMerger, FramesOfLargePhysicalSectorsEndOnTheirBorders) {
  add(FrameOp::write, 4, 4);
  add(FrameOp::write, 8, 30);
  EXPECT_EQ(plan(17, 8).sectors, 4U) << "a whole request that ends on one";
  requests.at(sending.front()).io.lba = Lba{5};
  requests.at(sending.front()).io.sectors = 3;
  EXPECT_EQ(plan(17, 8).sectors, 3U);
}

TEST_F(RequestMerger, TrimsShareAFrameWhereverTheyAre) {
  const std::uint32_t a = add(FrameOp::trim, 1000, 65536);
  const std::uint32_t b = add(FrameOp::trim, 5, 1);
  const FrameFill all = plan(17);
  EXPECT_EQ(ids(all), (Ids{a, b}));
  EXPECT_EQ(all.sectors, 65537U);
  const FrameFill two = plan(17, 1, 2);
  EXPECT_EQ(ids(two), Ids{a}) << "two ranges are used up";
  const FrameFill one = plan(17, 1, 1);
  EXPECT_EQ(one.sectors, 65535U);
}

TEST_F(RequestMerger, FlushesThatWaitTogetherAreOne) {
  const std::uint32_t a = add(FrameOp::flush, 0, 0);
  add(FrameOp::write, 0, 1);
  const std::uint32_t b = add(FrameOp::flush, 0, 0);
  // The flush at the end of a durable write.
  const std::uint32_t c = add(FrameOp::flush, 70, 3);
  requests.at(c).sent_sectors = 3;
  const FrameFill fill = plan(2);
  EXPECT_EQ(ids(fill), (Ids{a, b, c}));
  EXPECT_EQ(fill.sectors, 0U);
}

TEST_F(RequestMerger, AFrameServesALimitedNumber) {
  for (std::uint64_t i = 0; i < 100; ++i) {
    add(FrameOp::read, i, 1);
  }
  EXPECT_LE(plan(255).request_count, kMergedRequestsMax);
  EXPECT_GE(plan(255).request_count, kMergeLookahead);
}

}  // namespace
}  // namespace aoe::initiator
