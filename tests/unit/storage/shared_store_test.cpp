#include "storage/shared_store.h"

#include "support/fake_store.h"
#include "support/store_driver.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace aoe::testing {
namespace {

using storage::SharedStore;

class Shared : public ::testing::Test {
 protected:
  Shared() {
    auto fake = std::make_unique<FakeStore>(4);
    below = fake.get();
    shared = SharedStore::make(std::move(fake));
  }

  FakeStore* below = nullptr;
  std::shared_ptr<SharedStore> shared;
  std::vector<std::byte> bytes = std::vector<std::byte>(512);
};

TEST_F(Shared, EveryPortHearsOfItsOwnOperations) {
  const auto first = shared->open_port(8);
  const auto second = shared->open_port(8);
  StoreDriver one(*first);
  StoreDriver two(*second);
  const StoreTag read = one.add_read(0, bytes);
  const StoreTag flush = two.add_flush();
  one.send();
  two.send();
  below->complete(StoreOpKind::flush, StoreErrc::sync_failed);
  one.poll();
  EXPECT_FALSE(one.is_done(read));
  two.poll();
  EXPECT_EQ(two.status(flush), StoreErrc::sync_failed);
  below->complete(StoreOpKind::read);
  two.poll();
  one.poll();
  EXPECT_EQ(one.status(read), StoreErrc::ok);
  EXPECT_EQ(first->stats().reads, 1U);
  EXPECT_EQ(second->stats().errors, 1U);
}

TEST_F(Shared, WhatTheStoreDoesNotTakeAtOnceWaitsInOrder) {
  const auto first = shared->open_port(8);
  const auto second = shared->open_port(8);
  StoreDriver one(*first);
  StoreDriver two(*second);
  for (int i = 0; i < 6; ++i) {
    one.add_read(0, bytes);
  }
  one.send();
  const StoreTag flush = two.add_flush();
  two.send();
  EXPECT_EQ(below->in_flight.size(), 4U);
  for (int i = 0; i < 6; ++i) {
    below->complete(StoreOpKind::read);
    one.poll();
  }
  EXPECT_EQ(one.done.size(), 6U);
  below->complete(StoreOpKind::flush);
  two.poll();
  EXPECT_TRUE(two.is_done(flush));
}

TEST_F(Shared, WhatAPortLeftBehindReachesNobodyElse) {
  auto first = shared->open_port(8);
  {
    StoreDriver one(*first);
    one.add_read(0, bytes);
    one.send();
  }
  first.reset();
  const auto next = shared->open_port(8);
  StoreDriver two(*next);
  const StoreTag flush = two.add_flush();
  two.send();
  below->complete(StoreOpKind::read);
  two.poll();
  EXPECT_FALSE(two.is_done(flush));
  below->complete(StoreOpKind::flush);
  two.poll();
  EXPECT_TRUE(two.is_done(flush));
}

TEST_F(Shared, AnAbsorbedStoreLeavesItsPortsAndWhatWaitsToTheOther) {
  auto fake = std::make_unique<FakeStore>(4);
  FakeStore* upper_below = fake.get();
  auto upper = SharedStore::make(std::move(fake));
  const auto port = upper->open_port(8);
  const auto other = shared->open_port(8);
  StoreDriver one(*port);
  StoreDriver two(*other);
  one.add_read(0, bytes);
  one.send();
  upper->hold();
  EXPECT_FALSE(upper->is_quiet());
  const StoreTag waits = one.add_flush();
  one.send();
  upper_below->complete(StoreOpKind::read);
  one.poll();
  ASSERT_TRUE(upper->is_quiet());
  shared->absorb(*upper);
  upper.reset();
  const StoreTag read = two.add_read(0, bytes);
  two.send();
  below->complete(StoreOpKind::flush);
  below->complete(StoreOpKind::read);
  one.poll();
  two.poll();
  EXPECT_EQ(one.status(waits), StoreErrc::ok);
  EXPECT_EQ(two.status(read), StoreErrc::ok);
}

}  // namespace
}  // namespace aoe::testing
