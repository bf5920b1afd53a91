// Who counts as the client of a request that proxies have passed on; what hostile clients send.
#include "sfu/http/trusted_proxies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <array>
#include <cstddef>
#include <initializer_list>
#include <random>
#include <string>

#include "sfu/http/forwarded_field.h"

namespace sluice::interop::sfu {
namespace {

using testing::ElementsAre;

constexpr const char* kProxy = "10.0.0.1";
constexpr const char* kForwarded = "Forwarded";
constexpr const char* kXff = "X-Forwarded-For";

TrustedProxies proxies(std::initializer_list<const char*> all = {"10.0.0.0/8", "2001:db8:1::/48"}) {
  TrustedProxies made;
  for (const char* text : all) EXPECT_TRUE(made.add(text)) << text;
  return made;
}

httplib::Request request(const httplib::Headers& headers, const char* from = kProxy) {
  httplib::Request made;
  made.remote_addr = from;
  made.headers = headers;
  return made;
}

// Empty: it is refused.
std::string client(const httplib::Headers& headers, const char* from = kProxy) {
  return proxies().client_of(request(headers, from)).value_or("");
}

TEST(TrustedProxies, AreAddressesAndPrefixes) {
  const auto all = proxies({"192.0.2.1", "10.0.0.0/8", "2001:db8::/33", "::1", "172.16.0.0/12"});
  for (const auto* in : {"192.0.2.1", "10.255.0.1", "2001:db8:7fff::1", "::1", "172.31.255.255",
                         "::ffff:10.0.0.1"}) {
    EXPECT_TRUE(all.contains(std::string{in})) << in;
  }
  for (const auto* out : {"192.0.2.2", "11.0.0.1", "2001:db8:8000::1", "::2", "172.32.0.0",
                          "::10.0.0.1", "", "name", "fe80::1%lo"}) {
    EXPECT_FALSE(all.contains(std::string{out})) << out;
  }
  EXPECT_TRUE(proxies({"0.0.0.0/0"}).contains(std::string{"192.0.2.1"}));
  EXPECT_FALSE(proxies({"0.0.0.0/0"}).contains(std::string{"2001:db8::1"}));
}

TEST(TrustedProxies, BadOnesAreRefused) {
  for (const auto* text : {"", "proxy.example", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1",
                           "10.0.0.0/8x", "10.0.0.0/ 8", "10.0.0.1/8", "2001:db8::/129",
                           "2001:db8::1/64", "[::1]", "10.0.0.1:80", "10.0.0/8"}) {
    EXPECT_FALSE(TrustedProxies{}.add(text)) << text;
  }
}

TEST(TrustedProxies, OthersAreNotBelieved) {
  const httplib::Headers both = {{kXff, "192.0.2.1"}, {kForwarded, "for=192.0.2.1"}};
  EXPECT_EQ(client(both, "198.51.100.1"), "198.51.100.1");
  EXPECT_EQ(client({{kXff, "("}, {kForwarded, "("}}, "198.51.100.1"), "198.51.100.1");
  EXPECT_EQ(TrustedProxies{}.client_of(request(both)), kProxy);
}

TEST(TrustedProxies, SayTheirClient) {
  EXPECT_EQ(client({{kXff, "192.0.2.1"}}), "192.0.2.1");
  EXPECT_EQ(client({{kXff, " 2001:db8::5 "}}), "2001:db8::5");
  EXPECT_EQ(client({{kXff, "192.0.2.1:4711"}}), "192.0.2.1");
  EXPECT_EQ(client({{kForwarded, "for=192.0.2.1"}}), "192.0.2.1");
  EXPECT_EQ(client({{kForwarded, "By=203.0.113.43;FOR=192.0.2.1;proto=https"}}), "192.0.2.1");
  EXPECT_EQ(client({{kForwarded, R"(for="[2001:db8::5]:4711";host="a,b\";for=192.0.2.9")"}}),
            "2001:db8::5");
  EXPECT_EQ(client({}), kProxy) << "its own request";
  EXPECT_EQ(client({{kXff, "192.0.2.1"}}, "::ffff:10.0.0.1"), "192.0.2.1");
}

TEST(TrustedProxies, EachAddressHasOneForm) {
  EXPECT_EQ(client({{kXff, "2001:0DB8:0::5"}}), "2001:db8::5");
  EXPECT_EQ(client({{kXff, "::ffff:192.0.2.1"}}), "192.0.2.1");
  EXPECT_EQ(client({}, "::ffff:192.0.2.1"), "192.0.2.1");
}

TEST(TrustedProxies, MayStandInARow) {
  EXPECT_EQ(client({{kXff, "192.0.2.1, 10.0.0.2, 10.0.0.3"}}), "192.0.2.1");
  EXPECT_EQ(client({{kXff, "192.0.2.1"}, {kXff, "10.0.0.2"}}), "192.0.2.1");
  EXPECT_EQ(client({{kForwarded, R"(for=192.0.2.1, for="[2001:db8:1::7]",for=10.0.0.2)"}}),
            "192.0.2.1");
  EXPECT_EQ(client({{kXff, "10.0.0.3, 10.0.0.2"}}), "10.0.0.3") << "a client among the proxies";
}

// Whatever a client sends, its proxy adds the true address.
TEST(TrustedProxies, AClientCannotChooseItsAddress) {
  for (const auto* sent : {"198.51.100.1", "10.0.0.9", "127.0.0.1", "198.51.100.1, 10.0.0.9", "",
                           ",", "unknown", "\"", "for=\"", "[", "198.51.100.1;"}) {
    EXPECT_EQ(client({{kXff, std::string{sent} + ", 192.0.2.1"}}), "192.0.2.1") << sent;
    EXPECT_EQ(client({{kXff, sent}, {kXff, "192.0.2.1"}}), "192.0.2.1") << sent;
  }
  // In Forwarded all must be readable.
  for (const auto* sent :
       {"for=198.51.100.1", "for=10.0.0.9", "for=unknown", "for=_x", "", ";", "by=10.0.0.1",
        "for=198.51.100.1;by=10.0.0.1, for=10.0.0.9", "x=\"for=198.51.100.1\"", R"(x="\"")"}) {
    EXPECT_EQ(client({{kForwarded, std::string{sent} + ", for=192.0.2.1"}}), "192.0.2.1") << sent;
  }
  for (const auto* sent : {"for=198.51.100.1, x=\"", "for=198.51.100.1;x=\"", "\"",
                           "for=", "for=198.51.100.1;x=\"\\", "for=a;for=b", "for =198.51.100.1",
                           "for=198.51.100.1 for=198.51.100.2", "for=[2001:db8::1]", "=", "for"}) {
    const auto found = client({{kForwarded, std::string{sent} + ", for=\"192.0.2.1\""}});
    EXPECT_EQ(found, "") << sent;
  }
}

// Nor by anything else that it can send before the element that the proxy adds.
TEST(TrustedProxies, NoTextChoosesTheAddress) {
  constexpr std::array kParts = {"for=", "6.6.6.6", "10.0.0.9", "\"", "\\", ",", ";",   "=",
                                 " ",    "x",       "by=",      "[",  "]",  ":", "::6", "unknown"};
  std::mt19937 random(1);  // the same texts each time
  std::uniform_int_distribution<std::size_t> length(0, 8);
  std::uniform_int_distribution<std::size_t> part(0, kParts.size() - 1);
  std::size_t taken = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string sent;
    for (std::size_t left = length(random); left > 0; --left) sent += kParts.at(part(random));
    EXPECT_EQ(client({{kXff, sent + ", 192.0.2.1"}}), "192.0.2.1") << sent;
    for (const auto* added : {", for=192.0.2.1", ", for=\"192.0.2.1\"", ";for=192.0.2.1"}) {
      const auto found = client({{kForwarded, sent + added}});
      EXPECT_TRUE(found.empty() || found == "192.0.2.1") << sent << added;
      if (!found.empty()) ++taken;
    }
  }
  EXPECT_GT(taken, 1000U);
}

// The proxy may leave one of the two fields alone.
TEST(TrustedProxies, BothFieldsMustAgree) {
  EXPECT_EQ(client({{kXff, "192.0.2.1"}, {kForwarded, "for=198.51.100.1"}}), "");
  EXPECT_EQ(client({{kXff, "198.51.100.1, 192.0.2.1"}, {kForwarded, "for=198.51.100.1"}}), "");
  EXPECT_EQ(client({{kXff, "192.0.2.1"}, {kForwarded, "nonsense"}}), "");
  EXPECT_EQ(client({{kXff, "nonsense"}, {kForwarded, "for=192.0.2.1"}}), "");
  EXPECT_EQ(client({{kXff, "192.0.2.1"}, {kForwarded, "for=\"192.0.2.1:80\""}}), "192.0.2.1");
}

TEST(TrustedProxies, AnAddressIsNeeded) {
  for (const auto* node :
       {"", "unknown", "_hidden", "192.0.2.1:", "192.0.2.1:x", "192.0.2.1:123456", "192.0.2",
        "192.0.2.1/8", "[192.0.2.1]", "[2001:db8::1", "2001:db8::1]", "[2001:db8::1]80",
        "[2001:db8::1]:", "name.example", "fe80::1%lo"}) {
    EXPECT_EQ(client({{kXff, node}}), "") << node;
    EXPECT_EQ(client({{kForwarded, "for=\"" + std::string{node} + "\""}}), "") << node;
  }
  EXPECT_EQ(client({{kForwarded, "proto=https"}}), "");
}

TEST(TrustedProxies, ReadABoundedField) {
  const std::string padding(TrustedProxies::kMaxField - 11, ' ');
  EXPECT_EQ(client({{kXff, padding + ", 192.0.2.1"}}), "192.0.2.1");
  EXPECT_EQ(client({{kXff, padding + " , 192.0.2.1"}}), "");
  EXPECT_EQ(client({{kForwarded, padding + " , for=192.0.2.1"}}), "");
  std::string row = "192.0.2.1";
  for (std::size_t i = 1; i < TrustedProxies::kMaxProxies; ++i) row += ", 10.0.0.2";
  EXPECT_EQ(client({{kXff, row}}), "192.0.2.1");
  EXPECT_EQ(client({{kXff, row + ", 10.0.0.2"}}), "");
}

// RFC 7239 section 4.
TEST(ForwardedField, HasTheGrammarOfTheRfc) {
  const auto nodes = forwarded_nodes(
      "for=\"_gazonk\" , "
      "For=\"[2001:db8:cafe::17]:4711\",for=192.0.2.60;proto=http;by=203.0.113.43");
  ASSERT_TRUE(nodes);
  EXPECT_THAT(*nodes, ElementsAre("_gazonk", "[2001:db8:cafe::17]:4711", "192.0.2.60"));
}

}  // namespace
}  // namespace sluice::interop::sfu
