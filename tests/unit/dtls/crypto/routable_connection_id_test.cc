// Connection IDs that name a server and a worker.
#include <sluice/dtls/routable_connection_id.h>

#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "support/bytes.h"
#include "support/endpoints.h"

namespace sluice::dtls {
namespace {

using test::counted;
using test::joined;
using test::must;
using test::to_hex;

constexpr RoutableKeyId kFirstKey{2};
constexpr RoutableKeyId kSecondKey{5};

Buffer routable_key(int byte) { return Buffer(kRoutableKeySize, static_cast<std::byte>(byte)); }

std::unique_ptr<RoutableConnectionIds> source_of(const RoutableIdOptions& options, int key = 1) {
  return must(RoutableConnectionIds::make(test::environment(), options, routable_key(key)));
}

Buffer next(RoutableConnectionIds& source) {
  Buffer id(source.size());
  must(source.make(id));
  return id;
}

RoutableIdDecoder decoder_of(const RoutableIdLayout& layout, int key = 1) {
  RoutableIdDecoder decoder(test::environment());
  must(decoder.add(layout, routable_key(key)));
  return decoder;
}

Errc code_of(const Result<RoutableId>& failed) { return failed ? Errc{} : failed.error().code; }

TEST(RoutableConnectionIds, LeadToTheirWorkerInAllSizes) {
  for (std::size_t size = 6; size <= kMaxRoutableId; ++size) {
    for (std::size_t server_size = 1; server_size <= std::min<std::size_t>(8, size - 5);
         ++server_size) {
      SCOPED_TRACE(testing::Message() << size << ", " << server_size);
      const RoutableIdLayout layout{kFirstKey, size, server_size};
      const std::uint64_t largest =
          std::numeric_limits<std::uint64_t>::max() >> (64 - 8 * server_size);
      for (const std::uint64_t server : {std::uint64_t{0}, std::uint64_t{7}, largest}) {
        const auto source = source_of({.layout = layout, .server = server, .worker = 31});
        ASSERT_EQ(source->size(), size);
        const Buffer id = next(*source);
        EXPECT_EQ(id[0], std::byte{2 << 5 | 31}) << "the kernel reads it";
        const RoutableId decoded = must(decoder_of(layout).decode(id));
        EXPECT_EQ(decoded.key_id, kFirstKey);
        EXPECT_EQ(decoded.worker, 31);
        EXPECT_EQ(decoded.server, server);
        EXPECT_EQ(decoded.nonce().size(), size - 1 - server_size);
      }
    }
  }
}

TEST(RoutableConnectionIds, HaveNoTwoNoncesAlike) {
  const RoutableIdLayout layout{kFirstKey, 8, 1};
  const auto source = source_of({.layout = layout});
  auto decoder = decoder_of(layout);
  std::set<std::string> nonces;
  for (int i = 0; i < 1000; ++i) {
    nonces.insert(to_hex(must(decoder.decode(next(*source))).nonce()));
  }
  EXPECT_EQ(nonces.size(), 1000U);
}

// Nothing besides the first octet is alike in the IDs of one worker, nor in their differences.
TEST(RoutableConnectionIds, HaveNothingInCommonBesidesTheFirstOctet) {
  for (const std::size_t size : {6U, 8U, 9U, 16U, 17U, 20U}) {
    const auto source = source_of({.layout = {kFirstKey, size, 1}, .server = 3, .worker = 4});
    std::vector<std::set<std::byte>> seen(size);
    std::vector<std::set<std::byte>> differences(size);
    Buffer last = next(*source);
    for (int i = 0; i < 1000; ++i) {
      Buffer id = next(*source);
      for (std::size_t at = 0; at < size; ++at) {
        seen[at].insert(id[at]);
        differences[at].insert(id[at] ^ last[at]);
      }
      last = std::move(id);
    }
    EXPECT_EQ(seen[0].size(), 1U);
    // Of 256 values, 1000 random bytes miss five in the mean.
    for (std::size_t at = 1; at < size; ++at) {
      EXPECT_GT(seen[at].size(), 200U) << size << ", " << at;
      EXPECT_GT(differences[at].size(), 200U) << size << ", " << at;
    }
  }
}

TEST(RoutableConnectionIds, ComeToAnEndAndGoOnWithAnotherKey) {
  const RoutableIdLayout layout{kFirstKey, 12, 2};
  const auto source = source_of({.layout = layout, .server = 300, .max_ids_per_key = 2});
  EXPECT_EQ(source->remaining(), 2U);
  const Buffer first = next(*source);
  next(*source);
  EXPECT_EQ(source->remaining(), 0U);
  Buffer none(source->size());
  const auto failed = source->make(none);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Errc::connection_ids_used_up);

  must(source->change_key(kSecondKey, routable_key(2)));
  EXPECT_EQ(source->remaining(), 2U);
  const Buffer second = next(*source);
  auto decoder = decoder_of(layout);
  EXPECT_EQ(code_of(decoder.decode(second)), Errc::decode_error) << "its key is not known yet";
  must(decoder.add({kSecondKey, 12, 2}, routable_key(2)));
  EXPECT_EQ(must(decoder.decode(second)).key_id, kSecondKey);
  for (const Buffer& id : {first, second}) EXPECT_EQ(must(decoder.decode(id)).server, 300U);

  EXPECT_TRUE(decoder.remove(kFirstKey));
  EXPECT_FALSE(decoder.remove(kFirstKey));
  EXPECT_FALSE(decoder.remove(RoutableKeyId{7}));
  EXPECT_EQ(code_of(decoder.decode(first)), Errc::decode_error);
}

TEST(RoutableConnectionIds, HaveAsManyAsNoncesWithoutALimit) {
  EXPECT_EQ(source_of({.layout = {kFirstKey, 6, 1}})->remaining(), 1U << 27);
  EXPECT_EQ(source_of({.layout = {kFirstKey, 20, 1}})->remaining(), std::uint64_t{1} << 63);
}

TEST(RoutableConnectionIds, AFailedChangeOfTheKeyChangesNothing) {
  const RoutableIdLayout layout{kFirstKey, 12, 2};
  const auto source = source_of({.layout = layout, .server = 300});
  EXPECT_FALSE(source->change_key(RoutableKeyId{7}, routable_key(2)));
  EXPECT_FALSE(source->change_key(kSecondKey, counted(kRoutableKeySize - 1)));
  EXPECT_EQ(must(decoder_of(layout).decode(next(*source))).server, 300U);
}

TEST(RoutableConnectionIds, RefuseWhatTheyCannotWrite) {
  struct Wrong {
    RoutableIdOptions options;
    std::size_t key_size;
    std::string_view detail;
  };
  const RoutableIdLayout good{kFirstKey, 12, 2};
  const std::array<Wrong, 9> all{{
      {{.layout = {RoutableKeyId{7}, 12, 2}}, 16, "key_id: 0 to 6"},
      {{.layout = {RoutableKeyId{255}, 12, 2}}, 16, "key_id: 0 to 6"},
      {{.layout = {kFirstKey, 12, 0}}, 16, "server_size: 1 to 8"},
      {{.layout = {kFirstKey, 20, 9}}, 16, "server_size: 1 to 8"},
      {{.layout = {kFirstKey, 6, 2}}, 16, "size: server_size + 5 to 20"},
      {{.layout = {kFirstKey, 21, 2}}, 16, "size: server_size + 5 to 20"},
      {{.layout = good, .server = 0x10000}, 16, "server: exceeds server_size"},
      {{.layout = good, .worker = 32}, 16, "worker: 0 to 31"},
      {{.layout = good}, 32, "key: 16 bytes"},
  }};
  for (const Wrong& wrong : all) {
    const auto made =
        RoutableConnectionIds::make(test::environment(), wrong.options, counted(wrong.key_size));
    ASSERT_FALSE(made) << wrong.detail;
    EXPECT_EQ(made.error().code, Errc::invalid_argument);
    EXPECT_EQ(made.error().detail.view(), wrong.detail);
  }
  RoutableIdDecoder decoder(test::environment());
  EXPECT_FALSE(decoder.add({RoutableKeyId{7}, 12, 2}, routable_key(1)));
}

TEST(RoutableIdDecoder, AnotherKeyLeadsElsewhere) {
  for (const std::size_t size : {16U, 17U}) {
    const RoutableIdLayout layout{kFirstKey, size, 8};
    const auto source = source_of({.layout = layout, .server = 0x0102030405060708});
    EXPECT_NE(must(decoder_of(layout, 2).decode(next(*source))).server, 0x0102030405060708U);
  }
}

TEST(RoutableIdDecoder, RefusesWhatIsNoId) {
  const RoutableIdLayout layout{kFirstKey, 12, 2};
  auto decoder = decoder_of(layout);
  const Buffer id = next(*source_of({.layout = layout}));
  EXPECT_EQ(code_of(decoder.decode({})), Errc::decode_error);
  for (std::size_t size = 1; size < id.size(); ++size) {
    EXPECT_EQ(code_of(decoder.decode(test::copy_of(Bytes(id).first(size)))), Errc::decode_error);
  }
  EXPECT_EQ(code_of(decoder.decode(joined({id, counted(1)}))), Errc::decode_error);
  for (unsigned first = 0; first < 256; ++first) {
    Buffer other = id;
    other[0] = static_cast<std::byte>(first);
    EXPECT_EQ(decoder.decode(other).has_value(), first >> 5 == 2U) << first;
  }
}

TEST(RoutableIdDecoder, FindsTheIdInADatagram) {
  const RoutableIdLayout layout{kFirstKey, 12, 2};
  auto decoder = decoder_of(layout);
  const Buffer id = next(*source_of({.layout = layout, .server = 9, .worker = 1}));
  const Buffer of_12 = joined({test::from_hex("19fefd0001000000000005"), id, counted(30)});
  const Buffer of_13 = joined({test::from_hex("3f"), id, counted(30)});
  for (const Buffer& datagram : {of_12, of_13}) {
    const RoutableId decoded = must(decoder.decode_datagram(datagram));
    EXPECT_EQ(decoded.server, 9U);
    EXPECT_EQ(decoded.worker, 1);
    EXPECT_EQ(code_of(decoder.decode_datagram(
                  test::copy_of(Bytes(datagram).first(datagram.size() - 31)))),
              Errc::decode_error)
        << "it ends within its ID";
  }
  EXPECT_EQ(code_of(decoder.decode_datagram({})), Errc::decode_error);
  EXPECT_EQ(code_of(decoder.decode_datagram(counted(100))), Errc::decode_error);
}

}  // namespace
}  // namespace sluice::dtls
