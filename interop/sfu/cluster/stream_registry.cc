#include "sfu/cluster/stream_registry.h"

#include <algorithm>
#include <utility>

#include "common/sdp/sdp_text.h"
#include "sfu/cluster/node_url.h"

namespace sluice::interop::sfu {
namespace {

constexpr std::size_t kStreamId = 32;

// The clock of Redis, so that those of the nodes may differ.
constexpr const char* kNow =
    "local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000) ";
// ARGV: the lifetime in ms, and the entries. What has expired goes here.
constexpr const char* kPut =
    "redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now) "
    "for i = 2, #ARGV do redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[i]) end "
    "redis.call('PEXPIRE', KEYS[1], ARGV[1])";
// ARGV: the lifetime, the most entries, the longest one. No entry lives longer than its lifetime.
constexpr const char* kLookUp =
    "local all = redis.call('ZRANGEBYSCORE', KEYS[1], now, now + ARGV[1], 'LIMIT', 0, ARGV[2]) "
    "local short = {} "
    "for _, e in ipairs(all) do if #e <= tonumber(ARGV[3]) then short[#short + 1] = e end end "
    "return short";

}  // namespace

std::string entry_text(const StreamEntry& entry) {
  return entry.stream + " " + std::to_string(entry.depth) + " " + entry.node;
}

std::optional<StreamEntry> parse_entry(std::string_view text) {
  if (text.size() > StreamRegistry::kLongestEntry) return std::nullopt;
  const std::string_view stream = take(text, ' ');
  const std::string_view depth = take(text, ' ');
  const std::string node{text};
  const bool is_id = stream.size() == kStreamId &&
                     stream.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  const bool is_digit = depth.size() == 1 && depth[0] >= '0' && depth[0] <= '9';
  const auto url = parse_node_url(node);
  // The one form of a name: nodes are compared by it.
  if (!is_id || !is_digit || !url || url->origin != node) return std::nullopt;
  return StreamEntry{std::string{stream}, static_cast<std::size_t>(depth[0] - '0'), node};
}

StreamRegistry::StreamRegistry(RedisOptions redis, std::string prefix, std::string node)
    : redis_(std::move(redis)), prefix_(std::move(prefix)), node_(std::move(node)) {}

tl::expected<RedisReply, std::string> StreamRegistry::run(const std::vector<std::string>& words) {
  auto reply = redis_.connect() ? redis_.command(words) : std::nullopt;
  if (!reply) return tl::unexpected<std::string>("Redis does not answer");
  if (reply->kind == RedisReply::Kind::error) return tl::unexpected("Redis: " + reply->text);
  return *std::move(reply);
}

tl::expected<void, std::string> StreamRegistry::put(
    const std::vector<ClusterView::Stream>& streams) {
  Own own;
  for (const auto& each : streams) {
    own[each.room].insert(entry_text({each.id, each.depth, node_}));
  }
  const Own before = std::exchange(own_, own);
  tl::expected<void, std::string> result;
  const auto run_command = [&](const std::vector<std::string>& words) {
    if (auto reply = run(words); !reply) result = tl::unexpected(reply.error());
  };
  for (const auto& [room, entries] : before) {
    std::vector<std::string> words = {"ZREM", key(room)};
    std::ranges::copy_if(entries, std::back_inserter(words), [&](const std::string& entry) {
      return !own.contains(room) || !own.at(room).contains(entry);
    });
    if (words.size() > 2) run_command(words);
  }
  for (const auto& [room, entries] : own) {
    std::vector<std::string> words = {"EVAL", std::string{kNow} + kPut, "1", key(room),
                                      std::to_string(kLifetime.count())};
    words.insert(words.end(), entries.begin(), entries.end());
    run_command(words);
  }
  return result;
}

tl::expected<std::vector<StreamEntry>, std::string> StreamRegistry::look_up(
    const std::string& room) {
  auto reply =
      run({"EVAL", std::string{kNow} + kLookUp, "1", key(room), std::to_string(kLifetime.count()),
           std::to_string(kMostEntries), std::to_string(kLongestEntry)});
  if (!reply) return tl::unexpected(reply.error());
  std::vector<StreamEntry> entries;
  for (const std::string& text : reply->list) {
    auto entry = parse_entry(text);
    if (entry && entry->node != node_) entries.push_back(*std::move(entry));
    if (entries.size() == kMostEntries) break;
  }
  return entries;
}

void StreamRegistry::clear() { (void)put({}); }

}  // namespace sluice::interop::sfu
